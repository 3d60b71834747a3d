"""Which EC2 calls concern seeded machines, and what is answered? All others are moto's."""

from __future__ import annotations

import itertools
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from deploy.local.clouds.aws import seeded_xml as xml
from deploy.local.clouds.aws.calls import Call
from deploy.local.clouds.aws.errors import Answer, Refusal
from deploy.local.clouds.aws.seeded import SeededMachine, SeededPlace, SeededVolume, machine_of, read_machine
from deploy.local.clouds.aws.states import MACHINE_STATES, Transition, is_accepted
from deploy.local.clouds.clock import Clock
from deploy.local.clouds.estate import Planned

# docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html and API_DescribeVolumes.html
PAGE_LEAST, PAGE_MOST = 5, 1000
_ORDERS = {
    "StartInstances": ("start", "pending", "running"),
    "StopInstances": ("stop", "stopping", "stopped"),
    "TerminateInstances": ("terminate", "shutting-down", "terminated"),
}
_OURS, _MOTOS = "seeded", "moto"

Key = tuple[str, str, str]
AskMoto = Callable[[Mapping[str, str]], Answer]
"""Moto's answer to the same call with these parameters."""
Named = TypeVar("Named", SeededMachine, tuple[SeededMachine, SeededVolume])


class Seeded:
    """The seeded machines of all accounts. Not safe for threads: the caller holds the cloud's lock."""

    def __init__(self, clock: Clock, state_seconds: float) -> None:
        self._clock = clock
        self._state_seconds = state_seconds
        self._places: dict[tuple[str, str], SeededPlace] = {}
        self._changed: dict[Key, SeededMachine] = {}

    def load(self, documents: Iterable[str]) -> None:
        for document in documents:
            machine = read_machine(json.loads(document))
            self._place(machine.account_id, machine.region).add(machine)

    def changes(self) -> dict[Key, str]:
        """The documents to be written, by account, region and id; from then on they count as written."""
        changed, self._changed = self._changed, {}
        return {key: json.dumps(machine.document()) for key, machine in changed.items()}

    def put_back(self, keys: Iterable[Key]) -> None:
        """They were not written after all."""
        for account_id, region, machine_id in keys:
            machine = self._place(account_id, region).find(machine_id)
            if machine is not None:
                self._changed[machine.key] = machine

    def plant(
        self, planned: Iterable[Planned], seed: int, account_id: str, images: dict[str, str]
    ) -> list[SeededMachine]:
        """The machines that were not there before."""
        made = []
        for each in planned:
            machine = machine_of(each, seed, account_id, images)
            if self._place(account_id, machine.region).add(machine):
                self._changed[machine.key] = machine
                made.append(machine)
        return made

    def machines(self) -> list[SeededMachine]:
        """All, settled."""
        found = [machine for place in self._places.values() for machine in place.machines()]
        self._settle(found)
        return found

    def find(self, account_id: str, region: str, machine_id: str) -> SeededMachine | None:
        place = self._places.get((account_id, region))
        machine = None if place is None else place.find(machine_id)
        if machine is not None:
            self._settle([machine])
        return machine

    def _place(self, account_id: str, region: str) -> SeededPlace:
        return self._places.setdefault((account_id, region), SeededPlace())

    def _settle(self, machines: Iterable[SeededMachine]) -> None:
        now_s = self._clock.now_s()
        for machine in machines:
            if machine.transition is not None and machine.settle(now_s):
                self._changed[machine.key] = machine

    def answer(self, call: Call, ask_moto: AskMoto, moto_has: Callable[[], bool]) -> Answer | None:
        """None for a call that is moto's alone; raises Refusal. `moto_has`: whether it has any of what is listed."""
        place = self._places.get((call.account_id, call.region))
        if place is None or call.service != "ec2":
            return None
        if call.action == "DescribeInstances":
            self._settle(place.machines())
            named = _listed(call, "InstanceId")
            chosen = [machine for machine in place.machines() if not named or machine.id in named]
            return _Listing(call, ask_moto, moto_has).answer(chosen, named, _machine_facts, xml.reservations)
        if call.action == "DescribeVolumes":
            self._settle(place.machines())
            named = _listed(call, "VolumeId")
            volumes = [each for each in place.volumes() if not named or each[1].id in named]
            volumes.sort(key=lambda each: each[1].id)
            return _Listing(call, ask_moto, moto_has).answer(volumes, named, _volume_facts, xml.volume_items)
        return self._change(call, place)

    def _change(self, call: Call, place: SeededPlace) -> Answer | None:
        named = [*_listed(call, "InstanceId"), *_listed(call, "ResourceId"), *_named_once(call)]
        ours = {each: machine for each in named if (machine := place.find(each) or place.owner_of(each)) is not None}
        if not ours:
            return None
        if len(ours) < len(set(named)):
            raise Refusal("UnsupportedOperation", "A call is about seeded machines or about others, not both.")
        self._settle(ours.values())
        if call.action in _ORDERS:
            return self._order(call, list(ours.values()))
        if call.action in {"CreateTags", "DeleteTags"}:
            return self._tag(call, ours)
        if call.action == "ModifyInstanceAttribute" and "InstanceType.Value" in call.parameters:
            return self._resize(call, next(iter(ours.values())))
        raise Refusal("UnsupportedOperation", f"A seeded machine or volume does not know {call.action}.")

    def _order(self, call: Call, machines: list[SeededMachine]) -> Answer:
        order, through, final = _ORDERS[call.action]
        try:
            changing = [machine for machine in machines if is_accepted(order, machine.state)]
        except ValueError as error:
            raise Refusal("IncorrectInstanceState", f"The instance is in a wrong state: {error}.") from None
        before = {machine.id: machine.state for machine in machines}
        now_s = self._clock.now_s()
        for machine in changing:
            machine.state, machine.stopped_s = through, None if order == "start" else now_s
            machine.transition = Transition("machine", machine.id, final, now_s, now_s + self._state_seconds)
            self._mark(machine)
        items = "".join(
            f"<item><instanceId>{each.id}</instanceId><currentState>{_state(each.state)}</currentState>"
            f"<previousState>{_state(before[each.id])}</previousState></item>"
            for each in machines
        )
        return _xml(call, f"<instancesSet>{items}</instancesSet>")

    def _tag(self, call: Call, ours: Mapping[str, SeededMachine]) -> Answer:
        pairs = _pairs(call)
        for named, machine in ours.items():
            volume = next((each for each in machine.volumes if each.id == named), None)
            tags = machine.tags if volume is None else volume.tags
            for key, value in pairs:
                if call.action == "CreateTags":
                    tags[key] = value or ""
                elif value is None or tags.get(key) == value:
                    tags.pop(key, None)
            self._mark(machine)
        return _xml(call, "<return>true</return>")

    def _resize(self, call: Call, machine: SeededMachine) -> Answer:
        if machine.state != "stopped":
            text = f"The instance '{machine.id}' is not in the 'stopped' state."
            raise Refusal("IncorrectInstanceState", text)
        machine.instance_type = str(call.parameters["InstanceType.Value"])
        self._mark(machine)
        return _xml(call, "<return>true</return>")

    def _mark(self, machine: SeededMachine) -> None:
        machine.shown = None
        self._changed[machine.key] = machine


class _Listing:
    """One Describe call: ours first, page by page in the order of ids, then moto's as moto pages them."""

    def __init__(self, call: Call, ask_moto: AskMoto, moto_has: Callable[[], bool]) -> None:
        self._call = call
        self._ask_moto = ask_moto
        self._moto_has = moto_has

    def answer(
        self,
        found: list[Named],
        named: set[str],
        facts: Callable[[Named], Mapping[str, Any]],
        items: Callable[[Iterable[Named]], bytes],
    ) -> Answer:
        """`found` are those with the ids that were asked for, or all."""
        parameters = dict(self._call.parameters)
        side, after = _read_token(str(parameters.pop("NextToken", "")))
        if side == _MOTOS:
            return self._ask_moto(parameters | ({"NextToken": after} if after else {}))
        filters = _filters(self._call)
        chosen = [each for each in found if _fits(facts(each), filters)] if filters else found
        if "MaxResults" not in parameters:
            others = named - {facts(each)["id"] for each in found} if named else named
            if (named and not others) or not (named or self._moto_has()):
                return _xml(self._call, _set_of(self._call, items(chosen)))
            return self._with_motos(_without(parameters, named - others), items(chosen))
        size = _size(str(parameters["MaxResults"]))
        rest = [each for each in chosen if facts(each)["id"] > after]
        page = rest[:size]
        token = _write_token(_OURS, facts(page[-1])["id"]) if len(rest) > size else None
        if token is None and self._moto_has():
            token = _write_token(_MOTOS, "")
        return _xml(self._call, _set_of(self._call, items(page)), token)

    def _with_motos(self, parameters: Mapping[str, str], ours: bytes) -> Answer:
        """Moto's answer with ours in front; a refusal of moto's stays one."""
        answer = self._ask_moto(parameters)
        name = b"reservationSet" if self._call.action == "DescribeInstances" else b"volumeSet"
        opened, empty = b"<" + name + b">", b"<" + name + b"/>"
        body = answer.body.replace(empty, opened + b"</" + name + b">", 1).replace(opened, opened + ours, 1)
        return Answer(answer.status, answer.headers, body) if answer.status < 400 else answer


def _set_of(call: Call, items: bytes) -> bytes:
    name = b"reservationSet" if call.action == "DescribeInstances" else b"volumeSet"
    return b"<" + name + b">" + items + b"</" + name + b">"


def _xml(call: Call, inner: bytes | str, token: str | None = None) -> Answer:
    return Answer(200, [("Content-Type", "text/xml;charset=UTF-8")], xml.answer(call.action, inner, token))


def _state(name: str) -> str:
    return f"<code>{MACHINE_STATES[name]}</code><name>{name}</name>"


def _numbered(call: Call, name: str) -> list[str]:
    keys = (f"{name}.{number}" for number in itertools.count(1))
    return [str(call.parameters[key]) for key in itertools.takewhile(lambda key: key in call.parameters, keys)]


def _listed(call: Call, name: str) -> set[str]:
    return set(_numbered(call, name))


def _named_once(call: Call) -> list[str]:
    return [str(call.parameters[name]) for name in ("InstanceId", "VolumeId") if name in call.parameters]


def _without(parameters: Mapping[str, str], ids: set[str]) -> dict[str, str]:
    """The parameters without these ids; what is left is numbered anew."""
    kept = {key: value for key, value in parameters.items() if not key.startswith(("InstanceId.", "VolumeId."))}
    for name in ("InstanceId", "VolumeId"):
        left = [v for k, v in parameters.items() if k.startswith(f"{name}.") and v not in ids]
        kept |= {f"{name}.{number}": value for number, value in enumerate(left, start=1)}
    return kept


def _pairs(call: Call) -> list[tuple[str, str | None]]:
    """The tags of CreateTags and DeleteTags; a value of None was not given."""
    keys = (f"Tag.{number}" for number in itertools.count(1))
    present = itertools.takewhile(lambda key: f"{key}.Key" in call.parameters, keys)
    return [(str(call.parameters[f"{key}.Key"]), call.parameters.get(f"{key}.Value")) for key in present]


def _filters(call: Call) -> list[tuple[str, list[str]]]:
    keys = (f"Filter.{number}" for number in itertools.count(1))
    present = itertools.takewhile(lambda key: f"{key}.Name" in call.parameters, keys)
    return [(str(call.parameters[f"{key}.Name"]), _numbered(call, f"{key}.Value")) for key in present]


def _fits(facts: Mapping[str, Any], filters: list[tuple[str, list[str]]]) -> bool:
    """Every filter has one value that fits; `*` and `?` are wildcards. Raises Refusal for a filter we do not know."""
    return all(
        any(fnmatchcase(each, value) for each in _values(facts, name) for value in wanted) for name, wanted in filters
    )


def _values(facts: Mapping[str, Any], name: str) -> list[str]:
    tags: Mapping[str, str] = facts["tags"]
    if name.startswith("tag:"):
        return [tags[name[4:]]] if name[4:] in tags else []
    if name == "tag-key":
        return list(tags)
    if name not in facts["filters"]:
        raise Refusal("InvalidParameterValue", f"The filter '{name}' is invalid")
    return [str(facts["filters"][name])]


def _machine_facts(machine: SeededMachine) -> Mapping[str, Any]:
    filters = {
        "instance-id": machine.id,
        "instance-state-name": machine.state,
        "instance-state-code": MACHINE_STATES[machine.state],
        "instance-type": machine.instance_type,
        "image-id": machine.image_id,
        "availability-zone": machine.zone,
        "private-ip-address": xml.private_ip(machine),
    }
    return {"id": machine.id, "tags": machine.tags, "filters": filters}


def _volume_facts(pair: tuple[SeededMachine, SeededVolume]) -> Mapping[str, Any]:
    machine, volume = pair
    filters = {
        "volume-id": volume.id,
        "status": "available" if machine.state == "terminated" else "in-use",
        "size": volume.size_gib,
        "availability-zone": machine.zone,
        "attachment.instance-id": machine.id,
    }
    return {"id": volume.id, "tags": volume.tags, "filters": filters}


def _size(text: str) -> int:
    size = int(text) if text.isdecimal() else 0
    if size < PAGE_LEAST:
        raise Refusal("InvalidParameterValue", f"Value ( {text} ) for parameter maxResults is invalid.")
    return min(size, PAGE_MOST)


def _write_token(side: str, after: str) -> str:
    return urlsafe_b64encode(f"{side}:{after}".encode()).decode()


def _read_token(token: str) -> tuple[str, str]:
    """Whose the next page is, and after which id of ours; a token of moto's own is passed on to it."""
    try:
        side, colon, after = urlsafe_b64decode(token).decode().partition(":")
    except ValueError:
        return _MOTOS, token
    if not token:
        return _OURS, ""
    return (side, after) if colon and side in {_OURS, _MOTOS} else (_MOTOS, token)
