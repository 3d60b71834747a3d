-- The tables of gateway as its migration 0001 makes them. Frozen once released: a change is a migration of its own.

CREATE TABLE audit_checkpoints (
    organization_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    entry_hash VARCHAR(64) NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    signature TEXT NOT NULL,
    CONSTRAINT pk_audit_checkpoints PRIMARY KEY (organization_id, sequence),
    CONSTRAINT uq_audit_checkpoints_organization_id_time UNIQUE (organization_id, time)
);

CREATE TABLE audit_heads (
    organization_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    entry_hash VARCHAR(64) NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_audit_heads PRIMARY KEY (organization_id)
);

CREATE TABLE audit_logs (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    previous_hash VARCHAR(64) NOT NULL,
    entry_hash VARCHAR(64) NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_id UUID NOT NULL,
    target_name TEXT,
    details JSONB NOT NULL,
    correlation_id UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_audit_logs PRIMARY KEY (id, recorded_at)
)
 PARTITION BY RANGE (recorded_at);
CREATE INDEX ix_audit_logs_organization_id_sequence ON audit_logs (organization_id, sequence);
CREATE INDEX ix_audit_logs_organization_id_target_id ON audit_logs (organization_id, target_id);
CREATE INDEX ix_audit_logs_organization_id_time ON audit_logs (organization_id, time);

CREATE TABLE operations (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    kind TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    progress JSONB NOT NULL,
    target_type TEXT NOT NULL,
    target_id UUID NOT NULL,
    error JSONB,
    result JSONB,
    actor TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_operations PRIMARY KEY (id)
);
CREATE INDEX ix_operations_organization_id_created_at ON operations (organization_id, created_at);
CREATE INDEX ix_operations_organization_id_target_id ON operations (organization_id, target_id);

CREATE TABLE organizations (
    id UUID NOT NULL,
    organization_name TEXT NOT NULL,
    slug VARCHAR(63) NOT NULL,
    settings JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_organizations PRIMARY KEY (id),
    CONSTRAINT uq_organizations_slug UNIQUE (slug)
);

CREATE TABLE api_keys (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    role VARCHAR(16) NOT NULL,
    prefix VARCHAR(16) NOT NULL,
    digest TEXT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id),
    CONSTRAINT uq_api_keys_prefix UNIQUE (prefix)
);
CREATE INDEX ix_api_keys_organization_id_created_at ON api_keys (organization_id, created_at);

CREATE TABLE role_restrictions (
    organization_id UUID NOT NULL,
    role VARCHAR(16) NOT NULL,
    permission TEXT NOT NULL,
    CONSTRAINT pk_role_restrictions PRIMARY KEY (organization_id, role, permission),
    CONSTRAINT fk_role_restrictions_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id)
);

CREATE TABLE tickets (
    prefix VARCHAR(16) NOT NULL,
    organization_id UUID NOT NULL,
    digest TEXT NOT NULL,
    principal_kind VARCHAR(16) NOT NULL,
    principal_id UUID NOT NULL,
    token_id UUID,
    token_expires_at TIMESTAMP WITH TIME ZONE,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tickets PRIMARY KEY (prefix),
    CONSTRAINT fk_tickets_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_tickets_issued_at ON tickets (issued_at);

CREATE TABLE users (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    email TEXT NOT NULL,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role VARCHAR(16) NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    last_sign_in_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT fk_users_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id),
    CONSTRAINT uq_users_email UNIQUE (email)
);
CREATE INDEX ix_users_organization_id_created_at ON users (organization_id, created_at);

CREATE TABLE refresh_tokens (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    family UUID NOT NULL,
    family_started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    user_id UUID NOT NULL,
    prefix VARCHAR(16) NOT NULL,
    digest TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    family_revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (id),
    CONSTRAINT fk_refresh_tokens_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_refresh_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_refresh_tokens_prefix UNIQUE (prefix)
);
CREATE INDEX ix_refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX ix_refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX ix_refresh_tokens_user_id ON refresh_tokens (user_id);
