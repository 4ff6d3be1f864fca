"""The keys that this machine knows: what a capture would use, to be looked for and never shown.

They are taken from where a capture takes them: the environment (TICKREEL_<VENUE>_KEY, _SECRET,
_PASSPHRASE), and what a capture's settings file names (other variables, files of mode 600). Those
of the store that uploads go to are among them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from recorder.stream_settings import KEY_PARTS, read_capture_settings

_OURS = re.compile(r"TICKREEL_[A-Z0-9_]+_(?:KEY|SECRET|PASSPHRASE)")
_OF_STORES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def known_secrets(
    settings_files: tuple[str, ...], environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the secrets by what to call them.

    Raises:
        StreamSettingsError, CredentialsError: a settings file, or a key file that it names, cannot
            be used.
    """
    known = {
        name: text
        for name, text in environment.items()
        if text and (_OURS.fullmatch(name) or name in _OF_STORES)
    }
    for file in settings_files:
        for stream in read_capture_settings(file).stream:
            keys = stream.credentials(environment)
            for part, text in zip(KEY_PARTS, (keys.key, keys.secret, keys.passphrase), strict=True):
                if text and text not in known.values():
                    known[f"the {part} of {stream.venue}"] = text
    return known
