-- What the provisioner's migration 0009 makes. Frozen once released: a change is a migration of its own.

ALTER TABLE resource_tags ADD COLUMN created_at TIMESTAMP WITH TIME ZONE;
-- As the one who writes: a tag of a resource that the writer may not see is refused, by NOT NULL (migration 0010).
CREATE FUNCTION tag_as_old_as_its_resource() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT created_at INTO NEW.created_at FROM cloud_resources
        WHERE organization_id = NEW.organization_id AND id = NEW.resource_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER created_at BEFORE INSERT ON resource_tags
    FOR EACH ROW EXECUTE FUNCTION tag_as_old_as_its_resource();
