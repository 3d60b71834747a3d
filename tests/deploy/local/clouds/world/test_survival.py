"""Is everything that was answered still there after `kill -9`, and does time go on where it was?"""

import contextlib
import json
import signal
import subprocess
import sys

from deploy.local.clouds.world.settings import Settings
from deploy.local.clouds.world.storage import Storage
from deploy.local.clouds.world.things import Thing
from deploy.local.clouds.world.world import World


def test_what_was_answered_survives_a_kill(own_world) -> None:
    world = own_world()
    kept, destroyed = world.created(tags=["env:prod"], region="syd1"), world.created()
    world.call("DELETE", f"/v2/droplets/{destroyed}")
    world.call("POST", f"/v2/droplets/{kept}/actions", {"type": "power_off"})  # refused: it is still new
    ledger, calls = world.ledger(), world.sim("GET", "calls")
    document = world.call("GET", f"/v2/droplets/{kept}").document
    world.end(signal.SIGKILL)

    world = own_world()
    assert world.call("GET", f"/v2/droplets/{kept}").document == document
    assert world.status(destroyed) is None
    assert world.ledger() == ledger
    assert {(row["action"], row["count"]) for row in calls["calls"] if row["action"] == "droplets.create"} <= {
        (row["action"], row["count"]) for row in world.sim("GET", "calls")["calls"]
    }
    another = world.created()
    assert another not in {kept, destroyed}
    assert [each["sequence"] for each in world.ledger()] == list(range(1, len(ledger) + 2))


def test_a_number_is_given_once_though_the_newest_thing_is_gone(tmp_path) -> None:
    """Ids are made of numbers: one that was given again would be another machine under the name of a destroyed one."""
    settings = Settings(tmp_path)
    world = World(Storage(tmp_path), settings)
    thing = world.things.put(Thing("digitalocean", "account", "nyc3", "machine", "1", "active", {}, created_s=0.0))
    world.save()
    world.things.remove(thing)
    world.save()
    again = World(Storage(tmp_path), settings)
    assert again.things.of("digitalocean", "account", "machine") == []
    other = again.things.put(Thing("digitalocean", "account", "nyc3", "machine", "2", "active", {}, created_s=0.0))
    assert other.number == thing.number + 1


def test_time_goes_on_where_it_was_and_states_arrive(own_world) -> None:
    world = own_world()
    droplet = world.created()
    world.advance(20)
    world.end(signal.SIGKILL)

    world = own_world()
    assert world.status(droplet) == "new"
    world.advance(10)
    assert world.status(droplet) == "active"
    world.end(signal.SIGKILL)

    world = own_world()
    assert world.status(droplet) == "active"


def test_a_call_whose_answer_was_lost_is_kept_too(own_world) -> None:
    world = own_world()
    world.fault("droplets.create", reset=True, after=True, count=1)
    with contextlib.suppress(ConnectionError):
        world.create()
    world.end(signal.SIGKILL)

    world = own_world()
    assert len(world.sim("GET", "instances")["instances"]) == len(world.ledger()) == 1


def test_a_machine_stays_pushed_after_a_kill_and_faults_do_not_stay(own_world) -> None:
    world = own_world()
    droplet = world.created()
    world.sim("POST", "load", {"instance_id": str(droplet), "cpu": 97})
    world.fault(status=500)
    world.end(signal.SIGKILL)

    world = own_world()
    assert world.sim("GET", "fault") == {"faults": []}
    assert world.sim("GET", "load") == {
        "pushed": {str(droplet): {"values": {"cpu": 97}, "until_s": None, "case": None}}
    }
    world.sim("DELETE", f"load?instance_id={droplet}")
    assert world.sim("GET", "load") == {"pushed": {}}


def test_a_push_ends_when_its_time_is_over(world) -> None:
    world.sim("POST", "load", {"instance_id": "1", "cpu": 50, "for_s": 10})
    assert "1" in world.sim("GET", "load")["pushed"]
    world.advance(11)
    assert "1" not in world.sim("GET", "load")["pushed"]


def test_a_signal_ends_it_in_order(own_world) -> None:
    world = own_world()
    droplet = world.created()
    assert world.end(signal.SIGTERM) == 0
    world = own_world()
    assert world.status(droplet) == "new"


def test_ports_are_what_the_operator_says(tmp_path) -> None:
    command = [sys.executable, "-m", "deploy.local.clouds.world", "--data-dir", str(tmp_path)]
    for wrong in (["--ports", "digitalocean"], ["--ports", "digitalocean=x"], ["--state-seconds", "-1"], ["--castle"]):
        ended = subprocess.run([*command, *wrong], capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 2
        assert "usage:" in ended.stderr


def test_accounts_are_written_once(own_world) -> None:
    world = own_world()
    path = world.folder / "accounts.json"
    accounts = json.loads(path.read_text())
    ours = next(each for each in accounts["accounts"] if each["provider"] == "digitalocean")
    ours["credentials"]["token"] = "mine"
    world.end(signal.SIGKILL)
    path.write_text(json.dumps(accounts))

    world = own_world()
    assert world.tokens[0] == "mine"
    assert world.call("GET", "/v2/account").status == 200
