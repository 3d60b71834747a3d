"""Which message goes to which function? Routes are declared beside the handlers; a Router is one service's table."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.db.journal import OnFailure, Program, Run
from shared.messages.base import Command, Event, Request

RequestHandler = Callable[[Any, Any], Awaitable[Any]]
"""(request, deps) -> reply model or Reply"""
EventHandler = Callable[[Any, Any, Any], Awaitable[None]]
"""(event, work, deps); the work is shared with other events of the batch and with the inbox"""
CommandHandler = Callable[[Any, Any], Awaitable[None]]
"""(command, deps); called at least once, so idempotent by itself"""
MetricsHandler = Callable[[Sequence[Any], Any], Awaitable[None]]
"""(metric batches, deps); idempotent by itself"""

H = TypeVar("H", bound=Callable[..., Any])
C = TypeVar("C", bound=Command)


@dataclass
class Routes:
    """The routes of one handler file, by message class."""

    requests: dict[type[Request], RequestHandler] = field(default_factory=dict)
    events: dict[type[Event], EventHandler] = field(default_factory=dict)
    commands: dict[type[Command], CommandHandler] = field(default_factory=dict)
    programs: dict[type[Command], Program[Any]] = field(default_factory=dict)
    metrics: MetricsHandler | None = None

    def request(self, cls: type[Request]) -> Callable[[H], H]:
        """Answer requests of this class."""
        return self._add(self.requests, cls)

    def event(self, *classes: type[Event]) -> Callable[[H], H]:
        """React to events of these classes."""
        return self._add(self.events, *classes)

    def command(self, cls: type[Command]) -> Callable[[H], H]:
        """Do a command that is idempotent by itself."""
        return self._add(self.commands, cls)

    def saga(
        self, cls: type[C], *, kind: str, target_type: str, total: int, on_failure: OnFailure | None = None
    ) -> Callable[[Run], Program[C]]:
        """Do a command on the journal; the decorated name becomes the Program that `journal.accept` takes."""

        def decorate(run: Run) -> Program[C]:
            program = Program(cls, kind, target_type, total, run, on_failure)
            self._put(self.programs, cls, program)
            return program

        return decorate

    def metric_batches(self, handler: MetricsHandler) -> MetricsHandler:
        """Take batches of the METRICS stream."""
        self.metrics = handler
        return handler

    def _add(self, table: dict[Any, Any], *classes: Any) -> Callable[[H], H]:
        def decorate(handler: H) -> H:
            for cls in classes:
                self._put(table, cls, handler)
            return handler

        return decorate

    @staticmethod
    def _put(table: dict[Any, Any], cls: Any, value: Any) -> None:
        if cls in table:
            raise ValueError(f"{cls.__name__} is handled twice")
        table[cls] = value


class Router(Routes):
    """All routes of one process kind. `service` names its NATS user, its command stream and its durable on EVENTS."""

    def __init__(self, service: str, *parts: Routes) -> None:
        super().__init__()
        self.service = service
        for part in parts:
            for mine, theirs in (
                (self.requests, part.requests),
                (self.events, part.events),
                (self.commands, part.commands),
                (self.programs, part.programs),
            ):
                for cls, value in theirs.items():
                    self._put(mine, cls, value)
            if part.metrics is not None:
                self.metrics = part.metrics
        self._check_owners()

    def _check_owners(self) -> None:
        for cls in (*self.requests, *self.commands, *self.programs):
            if cls.owner != self.service:
                raise ValueError(f"{cls.__name__} belongs to {cls.owner}, not to {self.service}")
