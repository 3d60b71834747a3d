"""What is the whole embedded deployment, and in which order does it come up?"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from deploy.local.bus import BusConfiguration
from deploy.local.clouds.aws.accounts import Account, load_accounts
from deploy.local.clouds.world.accounts import Account as CloudAccount
from deploy.local.clouds.world.accounts import parse_accounts
from deploy.local.clouds.world.providers import PROVIDERS
from deploy.local.environment import NOTIFIER, OPERATOR, SERVICES, TOPOLOGY, Environment, base_environment
from deploy.local.nats import Nats
from deploy.local.ports import Ports, is_free
from deploy.local.postgres import Postgres
from deploy.local.processes import Process, StartFailed
from deploy.local.secrets import Secrets
from deploy.local.supervisor import Supervisor
from shared.db import migrate, revisions

PROGRAMS = (*SERVICES, NOTIFIER)


class Stack:
    """NATS, PostgreSQL, the simulated clouds, the sinks, the load feeder, the services and the notifier of one folder.

    `services` limits which programs run, `replicas` says how many of each (names: `monitor`, `monitor-2`, …),
    `settings` are CANOPY_* variables for all programs and `settings_of` for one. Call `start` from a thread that lives
    as long as the stack: the children die with it.
    """

    def __init__(
        self,
        home: Path,
        http_port: int | None = None,
        *,
        services: Sequence[str] = PROGRAMS,
        replicas: Mapping[str, int] | None = None,
        settings: Mapping[str, str] | None = None,
        settings_of: Mapping[str, Mapping[str, str]] | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.home = home.resolve()
        self.supervisor = Supervisor(self.home, say)
        self._say = say
        self._services = tuple(services)
        self._replicas = dict(replicas or {})
        self._settings = dict(settings or {})
        self._settings_of = dict(settings_of or {})
        self._http_port = http_port
        self._ports = Ports(self.home / "ports.json")

    @property
    def url(self) -> str:
        """The public address: the gateway's."""
        return f"http://127.0.0.1:{self._public_port('gateway')}"

    @property
    def simulator_url(self) -> str:
        return self.url_of("aws")

    @property
    def cloud_urls(self) -> dict[str, str]:
        """Where each simulated cloud answers, by the provider's name."""
        return {name: self.url_of(name) for name in ("aws", *PROVIDERS)}

    @property
    def sinks_url(self) -> str:
        return self.url_of("sinks")

    @property
    def load_url(self) -> str:
        return self.url_of("load")

    @property
    def smtp_port(self) -> int:
        return self._ports.of("sinks-smtp")

    @property
    def accounts(self) -> list[Account]:
        """The accounts of the simulated AWS: the demonstration's and a second one without provider."""
        return load_accounts(self.home / "aws")

    @property
    def other_accounts(self) -> list[CloudAccount]:
        """The accounts of all other simulated clouds: of each two that may do everything, a reader, an expired one."""
        return parse_accounts((self.home / "clouds" / "accounts.json").read_text())

    def start(self) -> None:
        """Bring everything up and return when every process is ready; a failed start stops what had started."""
        self.supervisor.open()
        try:
            self._prepare()
            self._start_servers()
            self._start_programs()
        except BaseException:
            self.supervisor.close()
            raise

    def stop(self) -> None:
        """Stop everything in reverse order; returns when no process is left."""
        self.supervisor.close()

    def kill(self, name: str) -> None:
        """SIGKILL one process, and leave it dead until `restart`."""
        self.supervisor.kill(name)

    def restart(self, name: str, *, wait: bool = True) -> None:
        """Start a process again at its earlier address and wait until it is ready."""
        self.supervisor.restart(name, wait=wait)

    def add_stranger(self, name: str, organization: UUID) -> dict[str, str]:
        """A NATS user that reads one organization's events and nothing else; its CANOPY_NATS_* variables."""
        self._bus.add_stranger(name, organization)
        self.nats.reload()
        return self.nats_environment(name)

    def nats_environment(self, user: str) -> dict[str, str]:
        """The CANOPY_NATS_* variables of a user: a program, a stranger, or `operator`."""
        return self._environment.nats(user)

    def operator_environment(self) -> dict[str, str]:
        """What the `canopy` command needs for the bus (`dead`, `topology`, …) and the databases (`migrate`)."""
        owners = {f"CANOPY_{name.upper()}_OWNER_URL": self._environment.owner_url(name) for name in SERVICES}
        topology = {"CANOPY_NATS_TOPOLOGY_PASSWORD": self.nats_environment(TOPOLOGY)["CANOPY_NATS_PASSWORD"]}
        return self.nats_environment(OPERATOR) | topology | owners

    def environment_of(self, name: str) -> dict[str, str]:
        """The variables of a program (`monitor`) or of one replica of it (`monitor-2`)."""
        program, _, number = name.partition("-")
        public_port = self._public_port(name) if program == "gateway" else None
        return self._environment.of(program, self._port(name), number or "1", public_port=public_port)

    def url_of(self, name: str) -> str:
        """Where a process answers `/readyz` and `/metrics`."""
        return f"http://127.0.0.1:{self._port(name)}"

    def _prepare(self) -> None:
        if not is_free(self._public_port("gateway")):
            raise StartFailed(f"port {self._public_port('gateway')} is in use; choose another with CANOPY_HTTP_PORT")
        self.secrets = Secrets.kept(self.home / "secrets.json")
        self.postgres = Postgres(self.home / "postgres", self._ports.of("postgres"), log=self._log("postgres"))
        self._bus = BusConfiguration(self.home / "nats", self.secrets, self._settings, self._log("bus"))
        self._bus.write()
        self.nats = Nats(
            self.home / "nats",
            self._ports.of("nats"),
            configuration=self._bus.file,
            environment=self._bus.environment(),
            monitoring_port=self._ports.of("nats-monitoring"),
            log=self._log("nats"),
        )
        self._environment = Environment(
            secrets=self.secrets,
            postgres=self.postgres,
            nats_url=self.nats.url,
            public_url=self.url,
            cloud_urls=self.cloud_urls,
            smtp_port=self.smtp_port,
            settings=self._settings,
            settings_of=self._settings_of,
        )

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _port(self, name: str) -> int:
        return self._ports.of(name)

    def _public_port(self, name: str) -> int:
        """Where a replica of the gateway serves the API."""
        if name == "gateway" and self._http_port is not None:
            return self._http_port
        return self._ports.of(f"{name}-public")

    def _start_servers(self) -> None:
        """NATS, PostgreSQL and what stands in for the outside world."""
        self._say("starting NATS, PostgreSQL and the simulated clouds")
        self.supervisor.start([self._aws(), self._clouds(), self._sinks()])
        self.supervisor.start([self.nats, self.postgres])
        self.supervisor.note(
            url=self.url,
            nats_url=self.nats.url,
            nats_monitoring_url=self.nats.monitoring_url,
            postgres_port=self.postgres.port,
            simulator_url=self.simulator_url,
            sinks_url=self.sinks_url,
            load_url=self.load_url,
        )

    def _start_programs(self) -> None:
        """The programs wait by themselves for tables and streams, so they load while those are made."""
        self._say("starting " + ", ".join(self._services))
        names = [name for program in self._services for name in self._replica_names(program)]
        self.supervisor.start([self._program(name) for name in names])
        reconciliation = None if self._bus.is_reconciled() else self._topology()
        if reconciliation is not None:
            reconciliation.start()
        for service in SERVICES:
            self._prepare_database(service)
        if reconciliation is not None:
            reconciliation.wait_done()
            self._bus.note_reconciled()
        self.supervisor.wait_ready(["aws", "clouds", "sinks"])
        self.supervisor.start([self._load()])
        self.supervisor.wait_ready([*names, "load"])

    def _prepare_database(self, service: str) -> None:
        roles = [self.secrets.password(f"postgres.{service}_{role}") for role in ("owner", "app")]
        self.postgres.prepare_database(service, *roles)
        owner_url = self._environment.owner_url(service)
        if revisions.current(owner_url) != revisions.known(service)[-1]:
            migrate.upgrade(service, owner_url)

    def _replica_names(self, program: str) -> list[str]:
        count = self._replicas.get(program, 1)
        return [program if number == 1 else f"{program}-{number}" for number in range(1, count + 1)]

    def _program(self, name: str) -> Process:
        program = name.partition("-")[0]
        module = "services.monitor.notifier" if program == NOTIFIER else f"services.{program}"
        return Process(
            name,
            [sys.executable, "-m", module],
            self._log(name),
            environment=self.environment_of(name),
            ready_url=f"{self.url_of(name)}/readyz",
        )

    def _aws(self) -> Process:
        return self._outside("aws", "deploy.local.clouds.aws")

    def _clouds(self) -> Process:
        """All simulated clouds but AWS: one process with a port for each."""
        folder = self.home / "clouds"
        folder.mkdir(exist_ok=True, mode=0o711)
        ports = ",".join(f"{name}={self._port(name)}" for name in PROVIDERS)
        command = [sys.executable, "-m", "deploy.local.clouds.world", "--ports", ports, "--data-dir", str(folder)]
        ready_url = f"{self.url_of(next(iter(PROVIDERS)))}/healthz"
        return Process(
            "clouds", command, self._log("clouds"), environment=base_environment(), ready_url=ready_url
        )  # fmt: skip

    def _sinks(self) -> Process:
        return self._outside("sinks", "deploy.local.sinks", "--smtp-port", self.smtp_port)

    def _load(self) -> Process:
        accounts = self.home / "aws" / "accounts.json"
        return self._outside("load", "deploy.local.load", "--simulator", self.simulator_url, "--accounts", accounts)

    def _topology(self) -> Process:
        """The reconcile step of streams and consumers: a deploy job with its own credentials."""
        environment = base_environment() | self._settings | self._environment.nats(TOPOLOGY)
        command = [sys.executable, "-m", "shared.bus.topology"]
        return Process(TOPOLOGY, command, self._log(TOPOLOGY), environment=environment)

    def _outside(self, name: str, module: str, *arguments: object) -> Process:
        """A process that stands in for the world outside of Canopy; it gets no secret of ours."""
        folder = self.home / name
        folder.mkdir(exist_ok=True, mode=0o711)
        command = [sys.executable, "-m", module, "--port", self._port(name), "--data-dir", folder, *arguments]
        ready_url = f"{self.url_of(name)}/healthz"
        return Process(
            name, [str(part) for part in command], self._log(name), environment=base_environment(), ready_url=ready_url
        )
