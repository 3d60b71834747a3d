-- What the provisioner's migration 0009 makes. Frozen once released: a change is a migration of its own.

ALTER TABLE resource_tags ADD COLUMN created_at TIMESTAMP WITH TIME ZONE;
CREATE FUNCTION tag_as_old_as_its_resource() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT created_at INTO NEW.created_at FROM cloud_resources
        WHERE organization_id = NEW.organization_id AND id = NEW.resource_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER created_at BEFORE INSERT ON resource_tags
    FOR EACH ROW EXECUTE FUNCTION tag_as_old_as_its_resource();
-- Row level security is forced on the owner too, for whom there is no policy: it would see no row to change.
ALTER TABLE cloud_resources NO FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_tags NO FORCE ROW LEVEL SECURITY;
UPDATE resource_tags SET created_at = cloud_resources.created_at FROM cloud_resources
    WHERE cloud_resources.id = resource_tags.resource_id;
ALTER TABLE cloud_resources FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_tags FORCE ROW LEVEL SECURITY;
ALTER TABLE resource_tags ALTER COLUMN created_at SET NOT NULL;
DROP INDEX ix_resource_tags_key;
CREATE INDEX ix_resource_tags_value ON resource_tags (organization_id, key, value, created_at, resource_id);
