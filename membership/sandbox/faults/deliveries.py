"""What may go wrong with an event and its first delivery, by seed."""

import random
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

THREE_DAYS = 3 * 86400

# In the words of `--help` and of the control page.
DELIVERY_FAULTS = {
    "duplicate": "sent twice",
    "reorder": "sent some tenths of a second late, so that later ones overtake it",
    "delay": "sent `delay_seconds` of sandbox time late (up to 72 hours; moving the clock counts)",
    "drop": "never sent, and listed with delivery_success=false",
    "forget": "never comes about: neither sent nor listed, as happens at Stripe in very rare cases",
    "wrong_signature": "sent with a wrong signature, and again rightly when that is refused",
}


class DeliveryFaults(BaseModel):
    """How often, from 0 to 1, the first delivery of an event goes wrong (`DELIVERY_FAULTS`).

    Which events are hit is settled by `seed` and by the event's number since the last reset, so that the same story
    told again meets the same faults.
    """

    model_config = ConfigDict(extra="forbid")
    seed: int = 0
    duplicate: float = Field(0, ge=0, le=1)
    reorder: float = Field(0, ge=0, le=1)
    delay: float = Field(0, ge=0, le=1)
    delay_seconds: float = Field(5, ge=0, le=THREE_DAYS)
    drop: float = Field(0, ge=0, le=1)
    forget: float = Field(0, ge=0, le=1)
    wrong_signature: float = Field(0, ge=0, le=1)

    def forgets(self, number: int) -> bool:
        """Whether the event of that number since the faults were ordered does not come about."""
        return random.Random(f"{self.seed}:forget:{number}").random() < self.forget  # noqa: S311 - repeatable on purpose

    def fate(self, number: int) -> "Fate":
        """What becomes of the first delivery of the event of that number; always the same for a seed."""
        dice = random.Random(f"{self.seed}:{number}")  # noqa: S311 - repeatable on purpose
        throws = [dice.random() for _ in range(6)]
        late = 0.2 + throws[5] if throws[1] < self.reorder else 0.0
        return Fate(
            drop=throws[0] < self.drop,
            duplicate=throws[2] < self.duplicate,
            wrong_signature=throws[3] < self.wrong_signature,
            delay_seconds=self.delay_seconds if throws[4] < self.delay else late,
        )


@dataclass(frozen=True)
class Fate:
    """What becomes of one delivery."""

    drop: bool = False
    duplicate: bool = False
    wrong_signature: bool = False
    delay_seconds: float = 0.0


ALL_GOES_WELL = Fate()
