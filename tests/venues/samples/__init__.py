"""One message of every kind that each venue sends, a module an exchange.

Each module has `SAMPLES`, messages by registry name, and `SYMBOLS`, one of the exchange's own
symbols by registry name. The laws for all venues are tried on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules

_MODULES = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]

SAMPLES: Mapping[str, Sequence[bytes]] = {
    name: samples for module in _MODULES for name, samples in module.SAMPLES.items()
}
SYMBOLS: Mapping[str, str] = {
    name: symbol for module in _MODULES for name, symbol in module.SYMBOLS.items()
}
