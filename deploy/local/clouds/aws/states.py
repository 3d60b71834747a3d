"""Which state may a machine, a snapshot or an image go to next, and when does it arrive?"""

from dataclasses import dataclass

MACHINE_STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}

# From which states AWS accepts which order, and from which it does nothing because the machine is there already.
# Source: EC2 User Guide, "Instance lifecycle", and the IncorrectInstanceState entry of its error codes.
ACCEPTED = {
    "start": ({"stopped"}, {"pending", "running"}),
    "stop": ({"running"}, {"stopping", "stopped"}),
    "reboot": ({"running"}, {"pending"}),
    "terminate": ({"pending", "running", "stopping", "stopped"}, {"shutting-down", "terminated"}),
}


@dataclass(frozen=True)
class Transition:
    """`kind` is machine, snapshot or image; it becomes `final` at `due_s` (simulated seconds since 1970)."""

    kind: str
    identifier: str
    final: str
    start_s: float
    due_s: float

    def is_due(self, now_s: float) -> bool:
        return now_s >= self.due_s

    def progress_percent(self, now_s: float) -> int:
        """0 to 99 before the transition is due, 100 from then on."""
        if self.is_due(now_s):
            return 100
        return max(0, min(99, int(100 * (now_s - self.start_s) / (self.due_s - self.start_s))))


def is_accepted(order: str, state: str) -> bool:
    """Whether a machine in this state changes on this order (True) or is there already (False).

    Raises ValueError when AWS refuses the order in this state.
    """
    changes, stays = ACCEPTED[order]
    if state in changes:
        return True
    if state in stays:
        return False
    raise ValueError(f"a machine that is {state} does not {order}")
