r"""How HTX' logins are signed: base64 of HMAC-SHA256.

Signed are method, host, path and the sorted parameters, each on a line:

    GET\napi.huobi.pro\n/ws/v2\naccessKey=…&signatureMethod=HmacSHA256&signatureVersion=2.1
        &timestamp=2019-09-01T18%3A16%3A16
    GET\napi.hbdm.com\n/linear-swap-notification\nAccessKeyId=…&SignatureMethod=HmacSHA256
        &SignatureVersion=2&Timestamp=2017-05-11T15%3A19%3A30

The host is the exchange's own, whatever address is connected to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

SPOT_HOST = "api.huobi.pro"
SWAP_HOST = "api.hbdm.com"


def spot_parameters(key: str, timestamp: str) -> dict[str, str]:
    """Return what a login to one's own spot account says, version 2.1, unsigned."""
    return {
        "accessKey": key,
        "signatureMethod": "HmacSHA256",
        "signatureVersion": "2.1",
        "timestamp": timestamp,
    }


def swap_parameters(key: str, timestamp: str) -> dict[str, str]:
    """Return what a login to one's own swaps says, version 2, unsigned."""
    return {
        "AccessKeyId": key,
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": timestamp,
    }


def utc_text(time_ms: int) -> str:
    """Return the time as logins say it, in whole seconds of UTC."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def signature(secret: str, host: str, path: str, parameters: Mapping[str, str]) -> str:
    """Return the signature of a login."""
    text = f"GET\n{host}\n{path}\n{urlencode(sorted(parameters.items()))}"
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
