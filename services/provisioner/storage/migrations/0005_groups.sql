-- What the provisioner's migration 0005 makes. Frozen once released: a change is a migration of its own.

ALTER TABLE cloud_resources ADD COLUMN group_id UUID;
CREATE INDEX ix_cloud_resources_group ON cloud_resources (organization_id, group_id, created_at, id) WHERE group_id IS NOT NULL;
CREATE INDEX ix_cloud_resources_origin ON cloud_resources (organization_id, origin, created_at, id);
