-- What the provisioner's migration 0007 makes. Frozen once released: a change is a migration of its own.

DROP INDEX ix_cloud_resources_created;
CREATE INDEX ix_cloud_resources_created ON cloud_resources (organization_id, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_type, resource_subtype, resource_status, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_name;
CREATE INDEX ix_cloud_resources_name ON cloud_resources (organization_id, resource_name, id)
    INCLUDE (created_at, provider_id, provider_name, region, resource_type, resource_subtype, resource_status, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_provider;
CREATE INDEX ix_cloud_resources_provider ON cloud_resources (organization_id, provider_id, created_at, id)
    INCLUDE (provider_name, region, resource_type, resource_subtype, resource_status, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_provider_name;
CREATE INDEX ix_cloud_resources_provider_name ON cloud_resources (organization_id, provider_name, created_at, id)
    INCLUDE (provider_id, region, resource_type, resource_subtype, resource_status, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_region;
CREATE INDEX ix_cloud_resources_region ON cloud_resources (organization_id, region, created_at, id)
    INCLUDE (provider_id, provider_name, resource_type, resource_subtype, resource_status, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_status;
CREATE INDEX ix_cloud_resources_status ON cloud_resources (organization_id, resource_status, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_type, resource_subtype, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_health;
CREATE INDEX ix_cloud_resources_health ON cloud_resources (organization_id, health_status, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_type, resource_subtype, resource_status, environment, project, origin);
DROP INDEX ix_cloud_resources_type;
CREATE INDEX ix_cloud_resources_type ON cloud_resources (organization_id, resource_type, resource_subtype, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_status, health_status, environment, project, origin);
DROP INDEX ix_cloud_resources_environment;
CREATE INDEX ix_cloud_resources_environment ON cloud_resources (organization_id, environment, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_type, resource_subtype, resource_status, health_status, project, origin);
DROP INDEX ix_cloud_resources_project;
CREATE INDEX ix_cloud_resources_project ON cloud_resources (organization_id, project, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_type, resource_subtype, resource_status, health_status, environment, origin);
DROP INDEX ix_cloud_resources_origin;
CREATE INDEX ix_cloud_resources_origin ON cloud_resources (organization_id, origin, created_at, id)
    INCLUDE (provider_id, provider_name, region, resource_type, resource_subtype, resource_status, health_status, environment, project);
