"""Fail where tests that need the real recordings were skipped although these are at hand."""

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

real_data = Path(os.environ.get("TICKREEL_REAL_DATA", Path(__file__).parents[2] / "shared/real"))
if not real_data.is_dir():
    sys.exit(0)

skipped = [
    f"{case.get('classname')}::{case.get('name')}"
    for case in ElementTree.parse(sys.argv[1]).iter("testcase")
    for reason in case.iter("skipped")
    if "real recordings" in (reason.get("message") or "")
]
if skipped:
    print(f"the real recordings are at {real_data}, and yet these tests were skipped:")
    print("\n".join(skipped))
    sys.exit(1)
