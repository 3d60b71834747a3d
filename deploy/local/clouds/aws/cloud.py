"""How is one AWS call carried out and kept?

Everything that touches moto happens under one lock: moto is not safe for threads, and Python runs one at a time anyway.
Saving is shared: whoever finds its change unsaved saves everybody's, while the others wait for that one transaction.
Reads wait too, so that nobody sees what a kill could still undo.
"""

import io
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from moto.core.utils import utcnow
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from deploy.local.clouds.aws import backends
from deploy.local.clouds.aws.assets import describe_assets
from deploy.local.clouds.aws.authentication import Credential
from deploy.local.clouds.aws.calls import Call, current_call
from deploy.local.clouds.aws.compute import SlowCompute
from deploy.local.clouds.aws.errors import Answer
from deploy.local.clouds.aws.ledger import ledger_line
from deploy.local.clouds.aws.monitoring import FastMonitoring
from deploy.local.clouds.aws.seeded import REGIONS, SeededMachine
from deploy.local.clouds.aws.seeded_calls import Seeded
from deploy.local.clouds.aws.storage import BackendKey, CallKey, Changes, Storage
from deploy.local.clouds.aws.trust import is_read_only
from deploy.local.clouds.clock import Clock
from deploy.local.clouds.estate import Planned
from deploy.local.load.cases import Cases
from deploy.local.load.series import Push, values_at

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
Row = dict[str, Any]
HOP_HEADERS = frozenset({"connection", "transfer-encoding", "server", "date"})


class Cloud:
    """Moto, with a memory."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.clock = clock
        self._storage = storage
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        self._moto: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
        self._known: set[BackendKey] = set()
        self._dirty: set[BackendKey] = set()
        self._lines: list[tuple[int, str]] = []
        self._sequence = storage.last_sequence()
        self._counted = storage.calls()
        self._unsaved_counts: set[CallKey] = set()
        self._changed_at = 0  # number of the last change
        self._saved_at = 0  # number of the last change that is on disk
        self._seeded = Seeded(clock, SlowCompute.state_seconds)
        self.cases = Cases(storage.folder / "cases.json")
        FastMonitoring.loads = self

    def load(self) -> None:
        """Brings back what was saved. Backends are made first, since saved states name each other."""
        saved = self._storage.backends()
        with self._lock:
            self._seeded.load(self._storage.seeded())
            for key, _ in saved:
                backends.live_backend(*key)
            for key, state in saved:
                backends.load(key, state)
                self._known.add(key)

    def warm_up(self, account_id: str) -> None:
        """Pays moto's slow first call before a client has to."""
        with self._lock:
            for service, region in (("ec2", "us-east-1"), ("cloudwatch", "us-east-1"), ("sts", "aws"), ("iam", "aws")):
                backends.live_backend(service, account_id, region)

    def find_temporary(self, access_key_id: str) -> Credential | None:
        """A key that was made by IAM CreateAccessKey or STS AssumeRole in this cloud."""
        with self._lock:
            for account_id, _, sts in backends.all_backends("sts"):
                role = sts.get_assumed_role_from_access_key(access_key_id)
                if role is not None:
                    return Credential(
                        account_id,
                        access_key_id,
                        role.secret_access_key,
                        role.session_token,
                        may_write=not is_read_only(account_id, role.role_arn),
                        is_over=role.expiration <= utcnow(),
                    )
            for account_id, _, iam in backends.all_backends("iam"):
                key = iam.access_keys.get(access_key_id)
                # moto files the keys of roles here as well, without the token that goes with them.
                if key is not None and key.status == "Active" and not access_key_id.startswith("ASIA"):
                    return Credential(account_id, access_key_id, key.secret_access_key)
        return None

    def carry_out(self, call: Call, environ: Environ) -> Answer:
        """Moto's answer; when it is returned, whatever the call changed or saw is on disk."""
        environ = {**environ, "HTTP_X_MOTO_ACCOUNT_ID": call.account_id}
        with self._lock:
            answer = self._of_seeded(call, environ)
            if answer is None:
                answer = self._ask(call, environ)
                self._note(call, answer)
            change = self._changed_at
        self._save_up_to(change)
        return answer

    def _of_seeded(self, call: Call, environ: Environ) -> Answer | None:
        def ask_moto(parameters: Mapping[str, str]) -> Answer:
            body = urlencode(parameters).encode()
            again = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "QUERY_STRING": ""}
            found = self._ask(call, again)
            self._note(call, found)
            return found

        def moto_has() -> bool:
            backend: Any = backends.live_backend("ec2", call.account_id, call.region)
            return bool(backend.volumes if call.action == "DescribeVolumes" else backend.reservations)

        answer = self._seeded.answer(call, ask_moto, moto_has)
        if answer is not None and call.is_mutation:
            self._note_line(call, answer.body)
        return answer

    def _note_line(self, call: Call, body: bytes) -> None:
        self._sequence += 1
        self._lines.append((self._sequence, ledger_line(self._sequence, self.clock.now_s(), call, body)))
        self._changed_at += 1

    def plant(self, account_id: str, seed: int, planned: Iterable[Planned]) -> int:
        """Adds a seed's machines that are not there yet, with one line of the ledger; how many they were."""
        with self._lock:
            images = {region: backends.newest_image(account_id, region) for region in REGIONS}
            made = self._seeded.plant(planned, seed, account_id, images)
            if made:
                call = Call(account_id, "", "global", "ec2", "seed", "ec2", {"seed": seed})
                self._note_line(call, " ".join(machine.id for machine in made).encode())
            running = [machine.id for machine in made if machine.state == "running"]
            self.cases.plant(seed, running, self.clock.now_s())
            change = self._changed_at
        self._save_up_to(change)
        return len(made)

    def load_of(self, account_id: str, region: str, instance_id: str) -> Callable[[float], dict[str, float]] | None:
        """How a seeded machine's load is at a time; None for others, whose load somebody puts."""
        machine = self._seeded.find(account_id, region, instance_id)
        if machine is None:
            return None
        push = Push({}, None, self.cases.of(instance_id))
        return lambda time_s: values_at(instance_id, time_s, push) if machine.ran_at(time_s) else {}

    def _ask(self, call: Call, environ: Environ) -> Answer:
        token = current_call.set(call)
        try:
            backends.settle(backends.SERVED[call.service], call.account_id, call.region)
            pieces, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        finally:
            current_call.reset(token)
        kept = [(name, value) for name, value in headers if name.lower() not in HOP_HEADERS]
        return Answer(int(status.split(" ", 1)[0]), kept, b"".join(pieces))

    def _note(self, call: Call, answer: Answer) -> None:
        asked = (backends.SERVED[call.service], call.account_id, call.region)
        keys, beside = backends.keys_of(*asked), backends.made_beside(*asked)
        fresh = [key for key in (*keys, *beside) if key not in self._known]  # random ids (a default VPC) must stay
        self._known.update(fresh)
        self._dirty.update(fresh)
        # Metric points are many and are saved by the clock instead (see save_metrics).
        if call.is_mutation and answer.status < 400 and call.action != "PutMetricData":
            self._note_line(call, answer.body)
            self._dirty.update(keys)
        if self._dirty or self._lines:
            self._changed_at += 1

    def count(self, call: Call) -> None:
        """Counts an authenticated call, whatever becomes of it; a refused call costs the client as much."""
        asked = [(call.action, 1)]
        if call.action == "GetMetricData":  # billed by metric, not by call (CloudWatch pricing)
            asked.append(("GetMetricData:metrics", len(call.parameters.get("MetricDataQueries", []))))
        with self._lock:
            for action, count in asked:
                key = (call.account_id, call.region, call.service, action)
                self._counted[key] += count
                self._unsaved_counts.add(key)

    def _save_up_to(self, change: int) -> None:
        if self._saved_at >= change:
            return
        with self._saving:
            if self._saved_at >= change:  # another thread saved ours with its own
                return
            self._save()

    def _save(self) -> None:
        with self._lock:
            changes = Changes(
                {key: backends.dump(key) for key in self._dirty},
                list(self._lines),
                {key: self._counted[key] for key in self._unsaved_counts},
                self._seeded.changes(),
            )
            covered = self._changed_at
            self._dirty.clear()
            self._lines.clear()
            self._unsaved_counts.clear()
        try:
            self._storage.write(changes)
        except BaseException:  # a full disk: the next save has to try the same again
            with self._lock:
                self._dirty.update(changes.backends)
                self._lines[:0] = changes.ledger
                self._unsaved_counts.update(changes.calls)
                self._seeded.put_back(changes.seeded)
            raise
        self._saved_at = covered

    def save_metrics(self) -> None:
        """Saves metric points and counts; called every few seconds and on stop."""
        with self._lock:
            for account_id, region, backend in backends.all_backends("cloudwatch"):
                if isinstance(backend, FastMonitoring) and backend.changed:
                    backend.changed = False
                    self._dirty.add(("cloudwatch", account_id, region))
        with self._saving:
            self._save()

    def advance(self, seconds: float) -> float:
        """Moves simulated time and says what it is; raises ValueError for a step back."""
        with self._lock:
            self.clock.advance(seconds)
            self._storage.keep_fact("clock_offset_s", self.clock.offset_s)
            return self.clock.now_s()

    def inspect(self, describe: Callable[[str, str, SlowCompute], list[Row]]) -> list[Row]:
        """What `describe` says of the EC2 of every account and region, settled."""
        rows: list[Row] = []
        with self._lock:
            for account_id, region, backend in backends.all_backends("ec2"):
                if isinstance(backend, SlowCompute):
                    backend.settle()
                    rows += describe(account_id, region, backend)
        return rows

    def assets(self) -> list[Row]:
        """What there is of every account besides machines and their disks."""
        with self._lock:
            return describe_assets(backends.all_backends)

    def seeded(self) -> list[SeededMachine]:
        """The seeded machines of all accounts, as they are now."""
        with self._lock:
            return self._seeded.machines()

    def calls(self) -> list[tuple[CallKey, int]]:
        with self._lock:
            return sorted(self._counted.items())

    def ledger(self, since: int, limit: int) -> list[dict[str, Any]]:
        return self._storage.ledger(since, limit)
