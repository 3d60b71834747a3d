"""How do the simulated NodeBalancers stand before Linodes: ports with settings of their own, and nodes behind each?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.linode.instances import checked_tags, private_addresses
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

NODEBALANCER = "nodebalancer"
FIRST_NUMBER = 500_000
_LABEL = re.compile(r"[A-Za-z0-9_-]{3,32}")
_NODE_LABEL = re.compile(r"[A-Za-z0-9._-]{3,32}")

# of a config, when nothing is said
_DEFAULTS: Mapping[str, Any] = {
    "port": 80, "protocol": "http", "algorithm": "roundrobin", "stickiness": "none", "check": "none",
    "check_interval": 31, "check_timeout": 30, "check_attempts": 3, "check_path": "", "check_body": "",
    "check_passive": True, "proxy_protocol": "none", "cipher_suite": "recommended", "ssl_commonname": "",
    "ssl_fingerprint": "", "ssl_cert": None, "ssl_key": None,
}  # fmt: skip
_WORDS: Mapping[str, tuple[str, ...]] = {
    "protocol": ("http", "https", "tcp", "udp"), "algorithm": ("roundrobin", "leastconn", "source", "ring_hash"),
    "stickiness": ("none", "table", "http_cookie", "session", "source_ip"),
    "check": ("none", "connection", "http", "http_body"),
}  # fmt: skip
_NUMBERS = {"port": (1, 65535), "check_interval": (2, 3600), "check_timeout": (1, 30), "check_attempts": (1, 30)}


def actions() -> list[Action]:
    base = "/v4/nodebalancers"
    one = f"{base}/{{id}}"
    config = f"{one}/configs/{{config}}"
    return [
        Action("POST", base, "nodebalancers.create", _create),
        Action("GET", base, "nodebalancers.list", lambda call: page_of(call, call.list(NODEBALANCER), _document)),
        Action("GET", one, "nodebalancers.get", lambda call: Answer(200, _document(_needed(call)))),
        Action("PUT", one, "nodebalancers.update", _update),
        Action("DELETE", one, "nodebalancers.delete", _delete),
        Action("GET", f"{one}/configs", "configs.list", _configs),
        Action("POST", f"{one}/configs", "configs.create", _create_config),
        Action("GET", config, "configs.get", lambda call: Answer(200, _shown(_config_of(call, _needed(call))))),
        Action("PUT", config, "configs.update", _update_config),
        Action("DELETE", config, "configs.delete", _delete_config),
        Action("POST", f"{config}/rebuild", "configs.rebuild", _rebuild),
        Action("GET", f"{config}/nodes", "nodes.list", _nodes),
        Action("POST", f"{config}/nodes", "nodes.create", _create_node),
        Action("GET", f"{config}/nodes/{{node}}", "nodes.get", _read_node),
        Action("DELETE", f"{config}/nodes/{{node}}", "nodes.delete", _delete_node),
    ]


def _create(call: Call) -> Answer:
    wanted = call.document()
    region, label = str(wanted.get("region")), wanted.get("label")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "region is not valid", field="region")
    if label is not None and not _LABEL.fullmatch(str(label)):
        raise Refusal("invalid", "Label must be 3-32 characters", field="label")
    if label is not None and any(each.facts["label"] == label for each in call.list(NODEBALANCER)):
        raise Refusal("conflict", "Label must be unique among your NodeBalancers", field="label")
    number = FIRST_NUMBER + call.things.last_number + 1
    facts: dict[str, Any] = {
        "label": label or f"balancer{number}", "tags": checked_tags(wanted.get("tags") or []),
        "client_conn_throttle": _throttle(wanted.get("client_conn_throttle", 0)), "configs": [],
        "next": number * 1000, "updated_s": call.now_s,
    }  # fmt: skip
    for place, each in enumerate(wanted.get("configs") or []):
        _add_config(call, facts, region, each, f"configs[{place}].")
    balancer = call.new(NODEBALANCER, str(number), "active", facts, region=region)
    return Answer(200, _document(balancer), result_ids=[balancer.id])


def _update(call: Call) -> Answer:
    balancer, wanted = _needed(call), call.document()
    if "tags" in wanted:
        balancer.facts["tags"] = checked_tags(wanted["tags"])
    if "client_conn_throttle" in wanted:
        balancer.facts["client_conn_throttle"] = _throttle(wanted["client_conn_throttle"])
    return _saved(call, balancer, _document(balancer))


def _delete(call: Call) -> Answer:
    balancer = _needed(call)
    call.things.remove(balancer)
    return Answer(200, {}, result_ids=[balancer.id])


def _configs(call: Call) -> Answer:
    return page_of(call, _needed(call).facts["configs"], _shown)


def _create_config(call: Call) -> Answer:
    balancer = _needed(call)
    return _saved(call, balancer, _add_config(call, balancer.facts, balancer.region, call.document(), ""))


def _update_config(call: Call) -> Answer:
    balancer = _needed(call)
    config = _config_of(call, balancer)
    config |= _settings({**config, **call.document()}, "")
    return _saved(call, balancer, _shown(config))


def _rebuild(call: Call) -> Answer:
    """Settings and all nodes at once: those that are not named go."""
    balancer, wanted = _needed(call), call.document()
    config = _config_of(call, balancer)
    settings = _settings({**config, **wanted}, "")
    nodes = [_node(call, balancer.facts, balancer.region, each, f"nodes[{place}].")
             for place, each in enumerate(wanted.get("nodes") or [])]  # fmt: skip
    config |= {**settings, "nodes": nodes}
    return _saved(call, balancer, {**_shown(config), "nodes": [_shown_node(balancer, config, each) for each in nodes]})


def _delete_config(call: Call) -> Answer:
    balancer = _needed(call)
    balancer.facts["configs"].remove(_config_of(call, balancer))
    return _saved(call, balancer, {})


def _nodes(call: Call) -> Answer:
    balancer = _needed(call)
    config = _config_of(call, balancer)
    return page_of(call, config["nodes"], lambda each: _shown_node(balancer, config, each))


def _create_node(call: Call) -> Answer:
    balancer = _needed(call)
    config = _config_of(call, balancer)
    made = _node(call, balancer.facts, balancer.region, call.document(), "")
    config["nodes"].append(made)
    return _saved(call, balancer, _shown_node(balancer, config, made))


def _read_node(call: Call) -> Answer:
    balancer = _needed(call)
    config = _config_of(call, balancer)
    return Answer(200, _shown_node(balancer, config, _node_of(call, config)))


def _delete_node(call: Call) -> Answer:
    balancer = _needed(call)
    config = _config_of(call, balancer)
    config["nodes"].remove(_node_of(call, config))
    return _saved(call, balancer, {})


def _node_of(call: Call, config: Mapping[str, Any]) -> dict[str, Any]:
    found: list[dict[str, Any]] = [each for each in config["nodes"] if str(each["id"]) == call.path["node"]]
    if not found:
        raise Refusal("not_found")
    return found[0]


def _needed(call: Call) -> Thing:
    return call.need(NODEBALANCER, call.path["id"])


def _config_of(call: Call, balancer: Thing) -> dict[str, Any]:
    found = [each for each in balancer.facts["configs"] if str(each["id"]) == call.path["config"]]
    if not found:
        raise Refusal("not_found")
    config: dict[str, Any] = found[0]
    return config


def _saved(call: Call, balancer: Thing, document: dict[str, Any]) -> Answer:
    balancer.facts["updated_s"] = call.now_s
    call.save(balancer)
    return Answer(200, document, result_ids=[balancer.id])


def _add_config(
    call: Call, facts: dict[str, Any], region: str, wanted: Mapping[str, Any], place: str
) -> dict[str, Any]:
    settings = _settings({**_DEFAULTS, **wanted}, place)
    if any(each["port"] == settings["port"] for each in facts["configs"]):
        raise Refusal("invalid", "Port must be unique among your configs", field=f"{place}port")
    config = {"id": _next(facts), **settings, "nodes": []}
    config["nodes"] = [
        _node(call, facts, region, each, f"{place}nodes[{number}].")
        for number, each in enumerate(wanted.get("nodes") or [])
    ]
    facts["configs"].append(config)
    return _shown(config)


def _settings(wanted: Mapping[str, Any], place: str) -> dict[str, Any]:
    for name, words in _WORDS.items():
        if wanted[name] not in words:
            raise Refusal("invalid", f"Must be one of {', '.join(words)}", field=f"{place}{name}")
    for name, (least, most) in _NUMBERS.items():
        if not isinstance(wanted[name], int) or not least <= wanted[name] <= most:
            raise Refusal("invalid", f"Must be {least}-{most}", field=f"{place}{name}")
    if wanted["check_timeout"] >= wanted["check_interval"]:
        raise Refusal("invalid", "check_timeout must be less than check_interval", field=f"{place}check_timeout")
    if wanted["protocol"] == "tcp" and wanted["stickiness"] == "http_cookie":
        raise Refusal("invalid", "Stickiness http_cookie needs an HTTP protocol", field=f"{place}stickiness")
    return {name: wanted[name] for name in _DEFAULTS}


def _node(call: Call, facts: dict[str, Any], region: str, wanted: Mapping[str, Any], place: str) -> dict[str, Any]:
    label, address = str(wanted.get("label") or ""), str(wanted.get("address") or "")
    host, _, port = address.rpartition(":")
    if not _NODE_LABEL.fullmatch(label):
        raise Refusal("invalid", "Label must be 3-32 characters", field=f"{place}label")
    if not host or not port.isdecimal():
        raise Refusal("invalid", "Must be in address:port format", field=f"{place}address")
    if not any(host in private_addresses(each) for each in call.list(MACHINE, region)):
        message = "Must be a private IPv4 address of a Linode in the same region"
        raise Refusal("invalid", message, field=f"{place}address")
    number = wanted.get("id") or _next(facts)
    weight, mode = wanted.get("weight", 100), wanted.get("mode", "accept")
    return {"id": number, "label": label, "address": address, "weight": weight, "mode": mode}


def _next(facts: dict[str, Any]) -> int:
    facts["next"] += 1
    return int(facts["next"])


def _throttle(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= 20:
        raise Refusal("invalid", "Must be 0-20", field="client_conn_throttle")
    return value


def _document(balancer: Thing) -> dict[str, Any]:
    facts, number = balancer.facts, int(balancer.id)
    address = ipaddress.IPv4Address(int(ipaddress.IPv4Address("198.19.0.0")) + number % 2**16)
    host = f"nb-{str(address).replace('.', '-')}.{balancer.region}.nodebalancer.linode.com"
    return {
        "id": number, "label": facts["label"], "region": balancer.region, "hostname": host, "ipv4": str(address),
        "ipv6": f"2001:db8:1::{number % 2**16:x}", "client_conn_throttle": facts["client_conn_throttle"],
        "client_udp_sess_throttle": 0, "tags": facts["tags"], "type": "common", "created": moment(balancer.created_s),
        "updated": moment(facts["updated_s"]), "transfer": {"in": 0.0, "out": 0.0, "total": 0.0}, "lke_cluster": None,
    }  # fmt: skip


def _shown(config: Mapping[str, Any]) -> dict[str, Any]:
    """A private key is never told again."""
    shown = {name: value for name, value in config.items() if name != "nodes"}
    hidden = {name: "<REDACTED>" for name in ("ssl_cert", "ssl_key") if config[name]}
    return {**shown, **hidden, "nodes_status": {"up": len(config["nodes"]), "down": 0}}


def _shown_node(balancer: Thing, config: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    return {**node, "status": "UP", "config_id": config["id"], "nodebalancer_id": int(balancer.id)}
