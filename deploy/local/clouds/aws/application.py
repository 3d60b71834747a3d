"""Which way does a request go through the simulated AWS? Controls, or: authentication, faults, moto, saving."""

import io
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deploy.local.clouds.aws import billing
from deploy.local.clouds.aws.accounts import DEACTIVATED, READER, Account
from deploy.local.clouds.aws.authentication import Credential, authenticate, claimed_protocol
from deploy.local.clouds.aws.backends import READ_ONLY, SERVED
from deploy.local.clouds.aws.calls import Call, Request, read_action, read_request
from deploy.local.clouds.aws.cloud import Cloud
from deploy.local.clouds.aws.controls import Controls
from deploy.local.clouds.aws.errors import Answer, Refusal, write_refusal
from deploy.local.clouds.aws.permissions import check_permission
from deploy.local.clouds.aws.trust import WEB_IDENTITY, check_role, web_identity_call
from deploy.local.clouds.clock import Clock
from deploy.local.clouds.faults import Fault, Faults
from deploy.local.clouds.issuers import Issuers

logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
RESET = Answer(0, [], b"", reset=True)


class Application:
    """The WSGI application. `reset` closes the connection of a request without an answer; it is the server's affair."""

    def __init__(
        self,
        cloud: Cloud,
        accounts: list[Account],
        clock: Clock,
        faults: Faults,
        reset: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._faults = faults
        self._reset = reset
        self._issuers = Issuers()
        self._controls = Controls(cloud, faults, accounts, self._issuers)
        self._credentials = {
            account.access_key_id: Credential(
                account.account_id,
                account.access_key_id,
                account.secret_access_key,
                may_write=account.scope != READER,
            )
            for account in accounts
            if account.scope != DEACTIVATED
        }

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = read_request(environ)
        except ValueError as error:
            answer = write_refusal(Refusal("RequestEntityTooLarge", str(error), 413), "rest-xml")
        else:
            answer = self._answer(request, environ)
        if answer.reset:
            self._reset(environ)
            raise ConnectionResetError("a fault on demand cut this connection")
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        start_response(f"{answer.status} -", [*headers, ("Content-Length", str(len(answer.body)))])
        return [answer.body]

    def _answer(self, request: Request, environ: dict[str, Any]) -> Answer:
        if self._controls.concerns(request.path):
            return self._controls.answer(request)
        try:
            call = self._call(request)
        except Refusal as refusal:
            return write_refusal(refusal, claimed_protocol(request))
        try:
            return self._carry_out(call, request, environ)
        except Refusal as refusal:
            return write_refusal(refusal, call.protocol)
        except Exception:
            logger.exception("simulating %s %s failed", call.service, call.action)
            return write_refusal(Refusal("InternalError", "An internal error has occurred", 500), call.protocol)

    def _call(self, request: Request) -> Call:
        """The authenticated call. Whoever shows an identity token signs nothing."""
        if "authorization" not in request.headers and WEB_IDENTITY.encode() in request.body:
            _, parameters = read_action(request, "query", "sts")
            return web_identity_call(parameters, self._issuers)
        return authenticate(request, self._find, self._clock.wall_s())

    def _find(self, access_key_id: str) -> Credential | None:
        return self._credentials.get(access_key_id) or self._cloud.find_temporary(access_key_id)

    def _may_write(self, call: Call) -> bool:
        credential = self._find(call.access_key_id)
        return credential is None or credential.may_write

    def _carry_out(self, call: Call, request: Request, environ: dict[str, Any]) -> Answer:
        # moto answers its own administration and the machines' metadata without asking who calls.
        if call.service not in SERVED.keys() | billing.SERVICES or request.path.startswith(("/moto-api", "/latest/")):
            raise Refusal("UnsupportedOperation", f"The simulated AWS does not have {call.service}.", 400)
        if SERVED.get(call.service) in READ_ONLY and call.is_mutation:
            raise Refusal("UnsupportedOperation", f"The simulated {call.service} cannot be changed.", 400)
        self._cloud.count(call)
        if call.action == "AssumeRole":
            check_role(call)
        if call.is_mutation:
            check_permission(call, may_write=self._may_write(call))
        facts = {"account": call.account_id, "region": call.region, "service": call.service, "action": call.action}
        fault = self._faults.take(facts)
        if fault is None:
            return self._own_answer(call, request, environ)
        time.sleep(fault.latency_ms / 1000)
        if fault.after or not fault.is_refusal:
            answer = self._own_answer(call, request, environ)
            if not fault.is_refusal:
                return answer
        return _refuse(fault, call.protocol)

    def _own_answer(self, call: Call, request: Request, environ: dict[str, Any]) -> Answer:
        if call.service in billing.SERVICES:
            return billing.answer(call, self._cloud)
        return self._cloud.carry_out(call, {**environ, "wsgi.input": io.BytesIO(request.body)})


def _refuse(fault: Fault, protocol: str) -> Answer:
    if fault.reset or fault.status is None:
        return RESET
    headers = [] if fault.retry_after_s is None else [("Retry-After", f"{fault.retry_after_s:g}")]
    return write_refusal(Refusal(fault.code, "A fault on demand.", fault.status, headers), protocol)
