"""May this caller assume this role? What moto does not ask: the role's trust policy, and its conditions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

from deploy.local.clouds.aws import backends
from deploy.local.clouds.aws.calls import Call
from deploy.local.clouds.aws.errors import Refusal
from deploy.local.clouds.issuers import Issuers, NotTrusted, audiences_of

WEB_IDENTITY = "AssumeRoleWithWebIdentity"
_EQUALS = ("StringEquals", "StringEqualsIfExists")


def check_role(call: Call) -> None:
    """Raise AccessDenied unless the role's trust names the caller's account and the external id that it asks for."""
    principals = {"*", call.account_id, f"arn:aws:iam::{call.account_id}:root"}
    facts = {"sts:ExternalId": [str(call.parameters.get("ExternalId", ""))]}
    _check(str(call.parameters.get("RoleArn", "")), "AWS", principals, "sts:AssumeRole", facts)


def web_identity_call(parameters: Mapping[str, Any], issuers: Issuers) -> Call:
    """The call of a token's bearer, who signs nothing. Raises Refusal."""
    role_arn = str(parameters.get("RoleArn", ""))
    account_id = _account_of(role_arn)
    try:
        claims = issuers.claims_of(str(parameters.get("WebIdentityToken", "")))
    except NotTrusted as error:
        raise Refusal("InvalidIdentityToken", f"{error}", 400) from error
    host = str(claims["iss"]).removeprefix("https://")
    provider = f"arn:aws:iam::{account_id}:oidc-provider/{host}"
    known = backends.live_backend("iam", account_id, "aws").open_id_providers  # type: ignore[attr-defined]
    if provider not in known or not set(audiences_of(claims)) & set(known[provider].client_id_list):
        raise Refusal("InvalidIdentityToken", "No OpenIDConnect provider found in your account for this token", 400)
    facts = {f"{host}:sub": [str(claims["sub"])], f"{host}:aud": audiences_of(claims)}
    _check(role_arn, "Federated", {provider}, "sts:AssumeRoleWithWebIdentity", facts)
    return Call(account_id, "", "us-east-1", "sts", WEB_IDENTITY, "query", parameters)


def is_read_only(account_id: str, role_arn: str) -> bool:
    """Whether a role has policies and all of them are for reading: by their names, since no policy is evaluated."""
    role = _role(account_id, role_arn)
    policies = list(role.managed_policies) if role is not None else []
    return bool(policies) and all(str(each).endswith("ReadOnlyAccess") for each in policies)


def _check(
    role_arn: str, kind: str, principals: Collection[str], action: str, facts: Mapping[str, Collection[str]]
) -> None:
    role = _role(_account_of(role_arn), role_arn)
    statements = [] if role is None else _statements(role.assume_role_policy_document)
    if not any(_allows(each, kind, principals, action, facts) for each in statements):
        raise Refusal("AccessDenied", f"User is not authorized to perform: {action} on resource: {role_arn}", 403)


def _allows(
    statement: Mapping[str, Any],
    kind: str,
    principals: Collection[str],
    action: str,
    facts: Mapping[str, Collection[str]],
) -> bool:
    named = statement.get("Principal", {})
    trusted = _listed(named.get(kind) if isinstance(named, dict) else named)
    if statement.get("Effect") != "Allow" or action not in _listed(statement.get("Action")):
        return False
    if not set(trusted) & set(principals):
        return False
    conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition", {})
    return all(
        operator in _EQUALS and set(_listed(wanted)) & set(facts.get(name, ()))
        for operator, block in conditions.items()
        for name, wanted in block.items()
    )


def _statements(document: str) -> list[Mapping[str, Any]]:
    found = json.loads(unquote(document)).get("Statement", [])
    return found if isinstance(found, list) else [found]


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _account_of(role_arn: str) -> str:
    parts = role_arn.split(":")
    if len(parts) < 6 or not parts[4].isdigit():
        raise Refusal("ValidationError", f"{role_arn} is invalid", 400)
    return parts[4]


def _role(account_id: str, role_arn: str) -> Any:
    roles: Mapping[str, Any] = backends.live_backend("iam", account_id, "aws").roles  # type: ignore[attr-defined]
    return next((role for role in roles.values() if role.arn == role_arn), None)
