"""Users with their roles and addresses, refresh tokens, admin sessions, the audit log."""

from alembic import op

from oja_events import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create_v1(op)
    op.execute("""
        CREATE TABLE users (
            id uuid PRIMARY KEY,
            email text NOT NULL,
            email_canonical text NOT NULL UNIQUE,
            email_verified boolean NOT NULL,
            first_name text NOT NULL,
            last_name text NOT NULL,
            phone text,
            password_hash text NOT NULL,
            password_changed_at timestamptz NOT NULL,
            is_active boolean NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT users_email_canonical CHECK (email_canonical = lower(email_canonical))
        );

        CREATE TABLE permissions (
            name text PRIMARY KEY,
            description text NOT NULL
        );

        CREATE TABLE roles (
            name text PRIMARY KEY,
            description text NOT NULL,
            built_in boolean NOT NULL
        );

        CREATE TABLE role_permissions (
            role text REFERENCES roles (name) ON DELETE CASCADE,
            permission text REFERENCES permissions (name),
            PRIMARY KEY (role, permission)
        );

        CREATE TABLE user_roles (
            user_id uuid REFERENCES users (id) ON DELETE CASCADE,
            role text REFERENCES roles (name),
            PRIMARY KEY (user_id, role)
        );
        CREATE INDEX user_roles_by_role ON user_roles (role, user_id);

        CREATE TABLE addresses (
            id uuid PRIMARY KEY,
            user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            full_name text NOT NULL,
            phone text NOT NULL,
            line1 text NOT NULL,
            line2 text,
            city text NOT NULL,
            state text NOT NULL,
            postal_code text,
            country text NOT NULL,
            is_default boolean NOT NULL
        );
        CREATE INDEX addresses_by_user ON addresses (user_id, id);
        CREATE UNIQUE INDEX addresses_one_default ON addresses (user_id) WHERE is_default;

        CREATE TABLE refresh_families (
            id uuid PRIMARY KEY,
            user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            revoked_at timestamptz
        );
        CREATE INDEX refresh_families_by_user ON refresh_families (user_id);
        CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);

        CREATE TABLE refresh_tokens (
            digest bytea PRIMARY KEY,
            family_id uuid NOT NULL REFERENCES refresh_families (id) ON DELETE CASCADE,
            issued_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            spent_at timestamptz,
            CONSTRAINT refresh_tokens_are_digests CHECK (octet_length(digest) = 32)
        );
        CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
        CREATE UNIQUE INDEX refresh_tokens_one_unspent ON refresh_tokens (family_id)
            WHERE spent_at IS NULL;

        CREATE TABLE admin_sessions (
            digest bytea PRIMARY KEY,
            user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            used_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT admin_sessions_are_digests CHECK (octet_length(digest) = 32)
        );
        CREATE INDEX admin_sessions_by_user ON admin_sessions (user_id);

        CREATE TABLE audit_log (
            id bigserial PRIMARY KEY,
            at timestamptz NOT NULL,
            action text NOT NULL,
            actor_id uuid,
            target_id uuid,
            address text,
            request_id text,
            detail jsonb NOT NULL
        );
        CREATE INDEX audit_log_by_target ON audit_log (target_id, id);
    """)
    op.execute(_SEED)
    op.execute(_APPEND_ONLY)


_SEED = """
    INSERT INTO permissions (name, description) VALUES
        ('products:read', 'See products that are not published'),
        ('products:write', 'Create and change products, categories and images'),
        ('inventory:read', 'See stock and its movements'),
        ('inventory:write', 'Adjust stock'),
        ('reviews:write', 'Publish and hide reviews'),
        ('orders:read', 'See all orders'),
        ('orders:write', 'Ship, complete and cancel orders'),
        ('payments:read', 'See all payments'),
        ('payments:refund', 'Give money back'),
        ('notifications:read', 'See which mails were sent'),
        ('notifications:write', 'Send a mail again'),
        ('templates:write', 'Change what mails say'),
        ('alerts:read', 'See and acknowledge alerts'),
        ('users:read', 'See all users'),
        ('users:write', 'Create, disable and enable users, and give them roles'),
        ('roles:write', 'Create and change roles'),
        ('audit:read', 'Read the audit log');

    INSERT INTO roles (name, description, built_in) VALUES
        ('customer', 'Buys', true),
        ('support', 'Answers customers', true),
        ('catalog_manager', 'Looks after products, stock and reviews', true),
        ('order_manager', 'Looks after orders and payments', true),
        ('admin', 'May do everything', true);

    INSERT INTO role_permissions (role, permission)
    SELECT 'support', unnest(ARRAY['orders:read', 'users:read', 'notifications:read',
        'payments:read', 'products:read', 'inventory:read', 'alerts:read'])
    UNION ALL
    SELECT 'catalog_manager', unnest(ARRAY['products:read', 'products:write', 'inventory:read',
        'inventory:write', 'reviews:write', 'alerts:read'])
    UNION ALL
    SELECT 'order_manager', unnest(ARRAY['orders:read', 'orders:write', 'payments:read',
        'payments:refund', 'inventory:read', 'products:read', 'notifications:read', 'alerts:read'])
    UNION ALL
    SELECT 'admin', name FROM permissions;
"""

# The service gets rights on new tables by default; these it must not have. Scratch databases have
# no such role.
_APPEND_ONLY = """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'identity') THEN
            REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM identity;
        END IF;
    END $$;
"""
