"""What is an amount of money? A Decimal with its currency; never a float inside, never a sum across currencies."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency (ISO 4217)."""

    amount: Decimal
    currency: str = "USD"

    def __add__(self, other: "Money") -> "Money":
        """Raise ValueError when the currencies differ: there is no conversion here."""
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def times(self, factor: Decimal) -> "Money":
        return Money(self.amount * factor, self.currency)

    def rounded(self) -> Decimal:
        """The amount in cents, for display only."""
        return self.amount.quantize(CENT, ROUND_HALF_EVEN)
