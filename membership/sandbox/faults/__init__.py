"""Faults on demand: for single calls, and by seed as mixtures for calls and for deliveries."""

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from membership.sandbox.faults.calls import CALL_FAULTS, CallFault, CallMix, ConnectionLost, hang_up
from membership.sandbox.faults.deliveries import ALL_GOES_WELL, DELIVERY_FAULTS, DeliveryFaults, Fate

__all__ = [
    "CALL_FAULTS",
    "DELIVERY_FAULTS",
    "CallFault",
    "CallMix",
    "ConnectionLost",
    "DeliveryFaults",
    "Fate",
    "Faults",
    "Script",
    "hang_up",
]


class Script(BaseModel):
    """What `POST /_sandbox/faults` takes: `calls` are added; `mix` and `deliveries` replace what was ordered."""

    model_config = ConfigDict(extra="forbid")
    calls: list[CallFault] = Field(default_factory=list)
    mix: CallMix | None = None
    deliveries: DeliveryFaults | None = None


@dataclass
class Faults:
    """The faults that are ordered at present."""

    calls: list[CallFault] = field(default_factory=list)
    mix: CallMix | None = None
    deliveries: DeliveryFaults | None = None
    _n_mixed: int = 0
    _n_emitted: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, script: Script) -> None:
        """Add faults."""
        with self._lock:
            self.calls += [fault.model_copy() for fault in script.calls]
            if script.mix is not None:
                self.mix, self._n_mixed = script.mix, 0
            if script.deliveries is not None:
                self.deliveries, self._n_emitted = script.deliveries, 0

    def clear(self) -> None:
        """Order none any more."""
        with self._lock:
            self.calls, self.mix, self.deliveries = [], None, None

    def take(self, method: str, path: str) -> CallFault | None:
        """What befalls a call: the first single fault that matches, used up by one, else what the mixture says."""
        call = f"{method} {path}"
        with self._lock:
            for fault in self.calls:
                if fnmatchcase(call, fault.match):
                    fault.times -= 1
                    self.calls = [other for other in self.calls if other.times > 0]
                    return fault
            if self.mix is None or not fnmatchcase(call, self.mix.match):
                return None
            self._n_mixed += 1
            return self.mix.pick(self._n_mixed)

    def forgets(self) -> bool:
        """Whether the event that is to come about now never does."""
        with self._lock:
            wanted = self.deliveries
            self._n_emitted += 1
            return wanted is not None and wanted.forgets(self._n_emitted)

    def fate(self, number: int, *, is_first: bool) -> Fate:
        """What becomes of a delivery of the event of that number: only the first one goes wrong."""
        wanted = self.deliveries
        return wanted.fate(number) if wanted is not None and is_first else ALL_GOES_WELL
