-- What the provisioner's migration 0004 makes. Frozen once released: a change is a migration of its own.

ALTER TABLE cloud_resources ADD COLUMN address TEXT;
DROP INDEX ix_resource_dependencies_target;
CREATE INDEX ix_resource_dependencies_target ON resource_dependencies (organization_id, provider_id, target);
