"""How does PostgreSQL write a resource as the API shows it? For the hottest reads; the model is messages' Resource."""

from typing import LiteralString

_TIME: LiteralString = '\'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\''

SHOWN: LiteralString = f"""json_build_object(
  'id', r.id, 'organization_id', r.organization_id, 'provider_id', r.provider_id, 'provider_name', r.provider_name,
  'region', r.region, 'resource_id', r.resource_id, 'resource_name', r.resource_name,
  'resource_type', r.resource_type, 'resource_subtype', r.resource_subtype, 'size_category', r.size_category,
  'availability_zone', r.availability_zone, 'private_ip', r.private_ip, 'public_ip', r.public_ip,
  'address', r.address,
  'configuration', r.configuration, 'resource_status', r.resource_status, 'health_status', r.health_status,
  'status_reason', r.status_reason, 'environment', r.environment, 'project', r.project,
  'tags', coalesce((SELECT json_object_agg(t.key, t.value) FROM resource_tags t
                    WHERE t.organization_id = r.organization_id AND t.resource_id = r.id), '{{}}'::json),
  'is_wedding_critical', r.is_wedding_critical, 'origin', r.origin, 'group_id', r.group_id,
  'cost_tracking', r.cost_tracking,
  'performance_metrics', r.performance_metrics,
  'created_at', to_char(r.created_at AT TIME ZONE 'UTC', {_TIME}),
  'updated_at', to_char(r.updated_at AT TIME ZONE 'UTC', {_TIME}),
  'terminated_at', to_char(r.terminated_at AT TIME ZONE 'UTC', {_TIME}),
  'version', r.version)::text"""
"""The JSON text of a row of cloud_resources that the statement calls `r`."""

FIND: LiteralString = f"""
SELECT r.version, {SHOWN}
FROM cloud_resources r WHERE r.id = %(id)s AND r.organization_id = %(organization)s
"""
"""One row: the version and the JSON text. Parameters: id, organization."""
