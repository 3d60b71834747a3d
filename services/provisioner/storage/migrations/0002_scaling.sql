-- The history of scalings as migration 0002 makes it. Frozen once released: a change is a migration of its own.

CREATE TABLE resource_scaling_history (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    resource_id UUID NOT NULL,
    action VARCHAR(32) NOT NULL,
    before_configuration JSONB NOT NULL,
    after_configuration JSONB NOT NULL,
    trigger VARCHAR(32) NOT NULL,
    reason TEXT,
    hourly_cost_before DOUBLE PRECISION,
    cost_impact JSONB,
    performance_impact JSONB,
    success BOOLEAN,
    error TEXT,
    duration_s DOUBLE PRECISION,
    created_by TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_resource_scaling_history PRIMARY KEY (id),
    CONSTRAINT fk_resource_scaling_history_resource_id FOREIGN KEY(resource_id) REFERENCES cloud_resources (id),
    CONSTRAINT ck_resource_scaling_history_action CHECK (action IN ('scale_up', 'scale_down', 'scale_out', 'scale_in', 'configuration_change')),
    CONSTRAINT ck_resource_scaling_history_trigger CHECK (trigger IN ('manual', 'auto_cpu', 'auto_memory', 'auto_requests', 'scheduled'))
);
CREATE INDEX ix_resource_scaling_history_resource ON resource_scaling_history (organization_id, resource_id, started_at, id);
