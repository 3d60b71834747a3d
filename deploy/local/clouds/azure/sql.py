"""How do the servers and databases of Azure SQL live, with their walls and copies?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.areas import AREAS
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.operations import accepted, time_text
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

SERVER, DATABASE = "Microsoft.Sql/servers", "Microsoft.Sql/servers/databases"
_QUICK, _HALF = 0.002, 0.5
_SERVERS_MAX = 250
_GIB = 1024**3

# The service objectives that are sold, with the edition and how many GiB a database of each may have and has by itself.
_OBJECTIVES = {
    "Basic": ("Basic", 2, 2),
    **{f"S{number}": ("Standard", 250 if number < 3 else 1024, 250) for number in (0, 1, 2, 3, 4, 6)},
    **{f"P{number}": ("Premium", 1024, 500) for number in (1, 2, 4)},
    **{f"GP_Gen5_{cores}": ("GeneralPurpose", 1024, 32) for cores in (2, 4, 8)},
    **{f"GP_S_Gen5_{cores}": ("GeneralPurpose", 512, 32) for cores in (1, 2, 4)},
    **{f"BC_Gen5_{cores}": ("BusinessCritical", 1024, 32) for cores in (2, 4, 8)},
}
_ZONED = ("Premium", "GeneralPurpose", "BusinessCritical")


def actions() -> list[Action]:
    server = paths.in_group(SERVER)
    database = server + "/databases/{child}"
    rule = server + "/virtualNetworkRules/{rule}"
    return [
        Action("PUT", server, "servers.create_or_update", _put_server),
        Action("GET", server, "servers.get", lambda call: Answer(200, _server(_need_server(call)))),
        Action("PATCH", server, "servers.update", _patch_server),
        Action("DELETE", server, "servers.delete", _delete_server),
        Action("GET", paths.in_subscription(SERVER), "servers.list",
               lambda call: page(call, call.list(SERVER), _server)),
        Action("PUT", database, "databases.create_or_update", _put_database),
        Action("GET", database, "databases.get", lambda call: Answer(200, _database(_need_database(call)))),
        Action("PATCH", database, "databases.update", _patch_database),
        Action("DELETE", database, "databases.delete", _delete_database),
        Action("GET", server + "/databases", "databases.list_by_server", _list_databases),
        Action("PUT", rule, "virtual_network_rules.create_or_update", _put_rule),
        Action("DELETE", rule, "virtual_network_rules.delete", _delete_rule),
        Action("GET", server + "/virtualNetworkRules", "virtual_network_rules.list_by_server", _list_rules),
        Action("GET", server + "/replicationLinks", "replication_links.list_by_server", _list_links),
        Action("GET", paths.in_subscription("Microsoft.Sql") + "/locations/{location}/usages",
               "subscription_usages.list_by_location", _usage),
    ]  # fmt: skip


def _need_server(call: Call) -> Thing:
    paths.need_group(call)
    return call.need(SERVER, paths.id_of(call, SERVER),
                     f"The Resource '{SERVER}/{call.path['name']}' under resource group '{call.path['rg']}' was not "
                     "found.")  # fmt: skip


def _ready_server(call: Call) -> Thing:
    known = _need_server(call)
    if known.state != "Ready":
        raise Refusal("conflict", f"An operation is currently in progress for the server '{call.path['name']}'.",
                      code="ConflictingServerOperation")  # fmt: skip
    return known


def _put_server(call: Call) -> Answer:
    group, body, name = paths.need_group(call), call.document(), call.path["name"]
    location, properties = paths.need_location(body), body.get("properties") or {}
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise Refusal("invalid", f"Invalid server name specified: {name}.", code="InvalidServerName")
    administrators = properties.get("administrators") or {}
    if not properties.get("administratorLoginPassword") and not administrators.get("azureADOnlyAuthentication"):
        raise Refusal("invalid", "An administrator is required.", code="InvalidParameterValue")
    known = call.get(SERVER, paths.id_of(call, SERVER))
    if known is not None:
        known = _ready_server(call)
        known.facts["tags"] = checked(body.get("tags"))
        return accepted(call, 200, _server(call.save(known)), call.now_s, result_ids=[known.id], repeated=True)
    if any(paths.name_of(each.id) == name for each in call.things.everything(call.account.provider, SERVER)):
        raise Refusal("conflict", f"The server name {name} is taken.", code="ServerAlreadyExists")
    if len(call.list(SERVER, location)) >= _SERVERS_MAX:
        raise Refusal("quota", "Server cannot be added to a subscription because it will exceed quota.",
                      code="ServerQuotaExceeded")  # fmt: skip
    kept = {key: value for key, value in properties.items() if key != "administratorLoginPassword"}
    facts = {"tags": checked(body.get("tags")), "properties": kept, "rules": {}}
    made = call.new(SERVER, paths.id_of(call, SERVER), "Creating", facts, region=location or group.region,
                    token=facts["tags"].get("canopy:token"), steps=[(call.later(_QUICK), "Ready")])  # fmt: skip
    return accepted(call, 202, None, call.later(_QUICK), result_ids=[made.id])


def _patch_server(call: Call) -> Answer:
    known, body = _ready_server(call), call.document()
    if "tags" in body:
        known.facts["tags"] = checked(body["tags"])
    known.facts["properties"] |= body.get("properties") or {}
    call.save(known)
    return accepted(call, 202, None, call.now_s, result_ids=[known.id])


def _delete_server(call: Call) -> Answer:
    """With all its databases, which are out of reach at once."""
    known = call.get(SERVER, paths.id_of(call, SERVER))
    if known is None:
        return Answer(204)
    for each in _databases_of(call, known):
        call.things.remove(each)
    known.turn("Disabled", (call.later(_QUICK), GONE))
    call.save(known)
    return accepted(call, 202, None, call.later(_QUICK), result_ids=[known.id])


def _server(thing: Thing) -> dict[str, Any]:
    name = paths.name_of(thing.id)
    return {
        "id": thing.id,
        "name": name,
        "type": SERVER,
        "location": thing.region,
        "kind": "v12.0",
        "tags": thing.facts["tags"],
        "properties": {
            "version": "12.0",
            "minimalTlsVersion": "1.2",
            "publicNetworkAccess": "Enabled",
            **thing.facts["properties"],
            "state": thing.state,
            "fullyQualifiedDomainName": f"{name}.database.windows.net",
        },
    }


def _databases_of(call: Call, server: Thing) -> list[Thing]:
    return [each for each in call.list(DATABASE) if each.id.startswith(f"{server.id}/databases/")]


def _database_id(call: Call) -> str:
    return f"{paths.id_of(call, SERVER)}/databases/{call.path['child']}"


def _need_database(call: Call) -> Thing:
    _need_server(call)
    message = f"The requested resource of type '{DATABASE}' with name '{call.path['child']}' was not found."
    return call.need(DATABASE, _database_id(call), message)


def _put_database(call: Call) -> Answer:
    server, body = _ready_server(call), call.document()
    if call.path["child"].lower() in {"master", "tempdb", "model", "msdb"}:
        raise Refusal("invalid", "Cannot use reserved database name in this operation.",
                      code="CannotUseReservedDatabaseName")  # fmt: skip
    known = call.get(DATABASE, _database_id(call))
    if known is not None:
        return _change(call, known)
    facts: dict[str, Any] = {"tags": checked(body.get("tags")), "properties": {}}
    wanted = {**body, "sku": body.get("sku") or {"name": "GP_Gen5_2"}}
    _apply(facts, wanted)
    facts["source"] = _source(call, body.get("properties") or {})
    made = call.new(DATABASE, _database_id(call), "Creating", facts, region=server.region,
                    token=facts["tags"].get("canopy:token"), steps=[(call.later(_HALF), "Online")])  # fmt: skip
    return accepted(call, 202, None, call.later(_HALF), result_ids=[made.id])


def _source(call: Call, properties: dict[str, Any]) -> str | None:
    """The database that this one is to be a copy of; they have the same name on two servers."""
    if properties.get("createMode", "Default") == "Default":
        return None
    source = call.get(DATABASE, str(properties.get("sourceDatabaseId")))
    if source is None or properties["createMode"] != "Secondary":
        raise Refusal("not_found", "The source database does not exist.", code="SourceDatabaseNotFound")
    if paths.name_of(source.id) != call.path["child"] or source.id == _database_id(call):
        raise Refusal("invalid", "The name of a secondary is that of its primary.", code="InvalidParameterValue")
    return source.id


def _apply(facts: dict[str, Any], body: dict[str, Any]) -> bool:
    """What a body says, on the facts; whether the service objective is another now. Raises Refusal."""
    before, properties = facts.get("objective"), body.get("properties") or {}
    objective = (body.get("sku") or {}).get("name", before)
    if objective not in _OBJECTIVES:
        raise Refusal("invalid", f"The sku name '{objective}' is not valid.", code="InvalidSkuName")
    edition, most_gib, own_gib = _OBJECTIVES[objective]
    size = properties.get("maxSizeBytes") or facts["properties"].get("maxSizeBytes") or own_gib * _GIB
    if size > most_gib * _GIB:
        raise Refusal("invalid", "The specified tier does not support the specified database max size.",
                      code="InvalidMaxSizeTierCombination")  # fmt: skip
    if properties.get("zoneRedundant") and edition not in _ZONED:
        raise Refusal("invalid", "Provisioning of zone redundant database is not supported for your current request.",
                      code="ProvisioningDisabled")  # fmt: skip
    kept = {name: properties[name] for name in ("requestedBackupStorageRedundancy", "zoneRedundant")
            if name in properties}  # fmt: skip
    facts["properties"] |= {**kept, "maxSizeBytes": size}
    facts["objective"], facts["before"] = objective, before or objective
    return before not in {None, objective}


def _patch_database(call: Call) -> Answer:
    return _change(call, _need_database(call))


def _change(call: Call, known: Thing) -> Answer:
    body = call.document()
    if known.state != "Online":
        raise Refusal("conflict", "There is already some operation on the database and the current operation should "
                      "wait till it is done.", code="ConflictingDatabaseOperation")  # fmt: skip
    if "tags" in body:
        known.facts["tags"] = checked(body["tags"])
    is_scaled = _apply(known.facts, body)
    if is_scaled:
        known.turn("scaling", (call.later(_HALF), "Online"))
    call.save(known)
    return accepted(call, 202, None, call.later(_HALF if is_scaled else 0.0), result_ids=[known.id])


def _delete_database(call: Call) -> Answer:
    known = call.get(DATABASE, _database_id(call))
    if known is None:
        return Answer(204)
    call.things.remove(known)
    return accepted(call, 202, None, call.now_s, result_ids=[known.id])


def _database(thing: Thing) -> dict[str, Any]:
    facts, is_scaling = thing.facts, thing.state == "scaling"
    edition = _OBJECTIVES[facts["objective"]][0]
    current = facts["before"] if is_scaling else facts["objective"]
    redundancy = facts["properties"].get("requestedBackupStorageRedundancy", "Geo")
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": DATABASE,
        "location": thing.region,
        "kind": "v12.0,user",
        "tags": facts["tags"],
        "sku": {"name": edition, "tier": edition},
        "properties": {
            "collation": "SQL_Latin1_General_CP1_CI_AS",
            "zoneRedundant": False,
            **facts["properties"],
            "status": "Online" if is_scaling else thing.state,
            "creationDate": time_text(thing.created_s),
            "currentServiceObjectiveName": current,
            "requestedServiceObjectiveName": facts["objective"],
            "requestedBackupStorageRedundancy": redundancy,
            "currentBackupStorageRedundancy": redundancy,
            **({"secondaryType": "Geo"} if facts["source"] else {}),
        },
    }


def _list_databases(call: Call) -> Answer:
    """With `master`, which every server has."""
    server = _need_server(call)
    answer = page(call, _databases_of(call, server), _database)
    if "$skiptoken" not in call.query:
        master = {
            "id": f"{server.id}/databases/master", "name": "master", "type": DATABASE, "location": server.region,
            "kind": "v12.0,system", "sku": {"name": "System", "tier": "System"},
            "properties": {"status": "Online", "currentServiceObjectiveName": "System0"},
        }  # fmt: skip
        answer.document["value"].insert(0, master)
    return answer


def _put_rule(call: Call) -> Answer:
    server, properties = _ready_server(call), call.document().get("properties") or {}
    subnet = str(properties.get("virtualNetworkSubnetId"))
    network = call.get("Microsoft.Network/virtualNetworks", subnet.rpartition("/subnets/")[0])
    found = [] if network is None else [e for e in network.facts["properties"]["subnets"] if e["id"] == subnet]
    if not found:
        raise Refusal("invalid", f"Subnet {subnet} was not found.", code="InvalidParameterValue",
                      field="virtualNetworkSubnetId")  # fmt: skip
    services = {each["service"] for each in found[0]["properties"].get("serviceEndpoints") or []}
    if "Microsoft.Sql" not in services and not properties.get("ignoreMissingVnetServiceEndpoint"):
        message = f"Azure SQL Server Virtual Network Rule encountered an user error: {subnet} has no service endpoint."
        raise Refusal("invalid", message, code="VirtualNetworkRuleBadRequest")
    server.facts["rules"][call.path["rule"]] = properties
    call.save(server)
    return accepted(call, 202, None, call.now_s, result_ids=[server.id])


def _delete_rule(call: Call) -> Answer:
    server = _need_server(call)
    if server.facts["rules"].pop(call.path["rule"], None) is None:
        return Answer(204)
    call.save(server)
    return accepted(call, 202, None, call.now_s, result_ids=[server.id])


def _list_rules(call: Call) -> Answer:
    server = _need_server(call)
    kind = f"{SERVER}/virtualNetworkRules"
    rules = [
        {"id": f"{server.id}/virtualNetworkRules/{name}", "name": name, "type": kind,
         "properties": {**rule, "state": "Ready"}}
        for name, rule in server.facts["rules"].items()
    ]  # fmt: skip
    return Answer(200, {"value": rules})


def _list_links(call: Call) -> Answer:
    """Both ends of each pair are told, by the server of either."""
    server, pairs = _need_server(call), []
    for each in call.list(DATABASE):
        source = each.facts["source"]
        if source and call.get(DATABASE, source):
            pairs += [(each.id, source, "Secondary", "Primary"), (source, each.id, "Primary", "Secondary")]
    found = [pair for pair in pairs if pair[0].startswith(f"{server.id}/")]
    return Answer(200, {"value": [_link(call, *pair) for pair in found]})


def _link(call: Call, ours: str, partner: str, role: str, partner_role: str) -> dict[str, Any]:
    other = call.need(DATABASE, partner)
    name = f"{other.number:08d}-0000-0000-0000-000000000000"
    return {
        "id": f"{ours}/replicationLinks/{name}",
        "name": name,
        "type": f"{DATABASE}/replicationLinks",
        "properties": {
            "role": role,
            "partnerRole": partner_role,
            "partnerServer": paths.name_of(partner.rpartition("/databases/")[0]),
            "partnerDatabase": paths.name_of(partner),
            "partnerDatabaseId": partner,
            "partnerLocation": other.region,
            "replicationState": "CATCH_UP",
            "linkType": "GEO",
        },
    }


def _usage(call: Call) -> Answer:
    location = call.path["location"]
    if location not in AREAS:
        raise Refusal("invalid", f"An invalid location was specified: {location}.", code="InvalidLocation")
    row = {
        "id": f"{call.http.path}/ServerQuota",
        "name": "ServerQuota",
        "type": "Microsoft.Sql/locations/usages",
        "properties": {
            "displayName": "Regional Server Quota",
            "currentValue": float(len(call.list(SERVER, location))),
            "limit": float(_SERVERS_MAX),
            "unit": "Count",
        },
    }
    return Answer(200, {"value": [row]})
