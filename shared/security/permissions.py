"""What can be allowed? One name per kind of act; every REST route and every family of live events asks for one."""

from enum import StrEnum


class Permission(StrEnum):
    """An act that a role may allow. The values are stored and shown: renaming one is a migration."""

    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_WRITE = "organization:write"
    ORGANIZATION_OWN = "organization:own"  # to make an owner: what an owner has and an admin has not
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"

    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"

    RESOURCES_READ = "resources:read"
    RESOURCES_WRITE = "resources:write"
    RESOURCES_OPERATE = "resources:operate"  # start, stop, scale
    RESOURCES_FORCE = "resources:force"  # `force` on critical resources and on those with hard dependents
    TEMPLATES_READ = "templates:read"
    TEMPLATES_WRITE = "templates:write"
    DEPLOYMENTS_READ = "deployments:read"
    DEPLOYMENTS_WRITE = "deployments:write"
    DEPLOYMENTS_APPROVE = "deployments:approve"  # production

    COSTS_READ = "costs:read"
    COSTS_WRITE = "costs:write"
    BUDGETS_READ = "budgets:read"
    BUDGETS_WRITE = "budgets:write"
    OPTIMIZATION_APPLY = "optimization:apply"

    MONITORING_READ = "monitoring:read"  # metrics, health, dashboards
    ALERTS_READ = "alerts:read"
    ALERTS_ACKNOWLEDGE = "alerts:acknowledge"  # acknowledge, resolve, suppress
    ALERTS_CONFIGURE = "alerts:configure"
    CHANNELS_READ = "channels:read"
    CHANNELS_WRITE = "channels:write"

    RECOVERY_READ = "recovery:read"
    RECOVERY_TEST = "recovery:test"
    RECOVERY_WRITE = "recovery:write"  # plans, backups
    RECOVERY_EXECUTE = "recovery:execute"  # failover, restore

    COMPLIANCE_READ = "compliance:read"
    COMPLIANCE_SCAN = "compliance:scan"
    COMPLIANCE_REMEDIATE = "compliance:remediate"

    AUTOMATION_READ = "automation:read"
    AUTOMATION_WRITE = "automation:write"

    AUDIT_READ = "audit:read"
    OPERATIONS_READ = "operations:read"
