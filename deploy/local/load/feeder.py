"""How do the values of all running machines get into CloudWatch, one point each 5 s?"""

import json
import logging
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.local.clouds.aws.accounts import FULL, parse_accounts
from deploy.local.load.cases import Case
from deploy.local.load.pushes import Pushes
from deploy.local.load.series import METRICS, SLOT_S, Push, values_at

logger = logging.getLogger(__name__)

CALL_LIMIT = 1000  # metric data of one PutMetricData (CloudWatch API reference)
CATCH_UP_SLOTS = 24  # two minutes: what a slow machine or a restarted simulator may make late
TIMEOUT_S = 10
Place = tuple[str, str]
Datum = dict[str, Any]


def data_of(instance_id: str, slots: Iterable[int], pushes: Pushes, case: Case | None = None) -> dict[str, list[Datum]]:
    """The metric data of one machine for these slots, by namespace."""
    data: dict[str, list[Datum]] = defaultdict(list)
    pushed = pushes.of(instance_id)
    push = Push({} if pushed is None else pushed.values, None if pushed is None else pushed.until_s, case)
    for slot in slots:
        values = values_at(instance_id, slot * SLOT_S, push)
        for name, (namespace, metric, unit) in METRICS.items():
            data[namespace].append(
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "InstanceId", "Value": instance_id}],
                    "Timestamp": slot * SLOT_S,
                    "Value": values[name],
                    "Unit": unit,
                    "StorageResolution": 1,
                }
            )
    return data


class Feeder:
    """Measures in a thread of its own. It asks the simulator which machines run, and then speaks only CloudWatch."""

    def __init__(self, simulator_url: str, accounts: Path, pushes: Pushes) -> None:
        self._simulator_url = simulator_url
        self._accounts = accounts
        self._pushes = pushes
        self._clients: dict[Place, Any] = {}
        self._stopping = threading.Event()
        self._last = int(time.time() // SLOT_S) - 1
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last put has ended."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            slot = int(time.time() // SLOT_S)
            first = max(self._last + 1, slot - CATCH_UP_SLOTS)
            try:
                self.feed(range(first, slot + 1))
                self._last = slot
            except (OSError, ValueError, BotoCoreError, ClientError) as error:
                # The simulator is away or throttles on demand; these slots are put with the next ones.
                logger.warning("could not feed slots %s to %s: %s", first, slot, error)
            self._stopping.wait(max(0.1, (slot + 1) * SLOT_S - time.time()))

    def feed(self, slots: range) -> None:
        """Puts the points of these slots for every running machine; putting one again gives it a second sample."""
        cases = {row["instance_id"]: Case(row["case"], row["began_s"]) for row in self._ask("cases")}
        for place, machines in self._running().items():
            gathered: dict[str, list[Datum]] = defaultdict(list)
            for instance_id in machines:
                for namespace, data in data_of(instance_id, slots, self._pushes, cases.get(instance_id)).items():
                    gathered[namespace] += data
            for namespace, data in gathered.items():
                for start in range(0, len(data), CALL_LIMIT):
                    batch = data[start : start + CALL_LIMIT]
                    self._client(place).put_metric_data(Namespace=namespace, MetricData=batch)

    def _running(self) -> dict[Place, list[str]]:
        rows = self._ask("instances")
        places: dict[Place, list[str]] = defaultdict(list)
        for row in rows:
            if row["state"] == "running" and not row.get("seeded"):  # those are measured when they are asked for
                places[(row["account"], row["region"])].append(row["id"])
        return places

    def _ask(self, what: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self._simulator_url}/_sim/{what}", timeout=TIMEOUT_S) as answer:
            rows: list[dict[str, Any]] = json.load(answer)[what]
            return rows

    def _client(self, place: Place) -> Any:
        if place not in self._clients:
            keys = parse_accounts(self._accounts.read_text())
            accounts = {key.account_id: key for key in keys if key.scope == FULL}
            account = accounts[place[0]]
            self._clients[place] = boto3.client(
                "cloudwatch",
                region_name=place[1],
                endpoint_url=self._simulator_url,
                aws_access_key_id=account.access_key_id,
                aws_secret_access_key=account.secret_access_key,
                config=Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"max_attempts": 1}),
            )
        return self._clients[place]
