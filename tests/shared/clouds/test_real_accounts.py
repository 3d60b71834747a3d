"""Does a real account keep the contract? Only with credentials that somebody gave for it (real_account.py)."""

from collections.abc import AsyncIterator

import pytest

from shared.clouds.registry import provider_names
from tests.fixtures.loopback import beyond_this_machine
from tests.shared.clouds.conformance_accounts import AccountConformance
from tests.shared.clouds.conformance_machines import MachineConformance
from tests.shared.clouds.real_account import RealAccount, is_given, variable_of

MISSING = [name for name in provider_names() if not is_given(name)]


class RealConformance(AccountConformance, MachineConformance):
    """The suite but for restoring, whose snapshots would have to be looked after as well."""

    provider: str

    @pytest.fixture
    async def account(self) -> AsyncIterator[RealAccount]:
        with beyond_this_machine():
            account = RealAccount(self.provider)
            try:
                yield account
            finally:
                await account.end()
                account.settle()
                await account.cloud.close()


for _name in provider_names():
    if is_given(_name):
        _class = f"TestReal{_name.title()}"
        globals()[_class] = type(_class, (RealConformance,), {"provider": _name, "__module__": __name__})


@pytest.mark.parametrize("provider", MISSING)
def test_a_real_account_keeps_the_contract(provider: str) -> None:
    pytest.skip(f"{variable_of(provider)} is not set: no real account of {provider} was asked")
