package store

import (
	"context"
	"fmt"
)

// A definition is a table as the agent makes it in its own database.
type definition struct{ name, ddl string }

// sharedTables are the tables of the specification. The statements are those
// that ActiveRecord generates from its migration, so that a schema dump of
// either is the same. The migration asks for two indexes of one name on
// xmrig_processes.hostname; the unique one is made.
var sharedTables = []definition{
	{"xmrig_processes", `
CREATE TABLE "xmrig_processes" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
 "pid" integer,
 "status" varchar DEFAULT 'stopped' NOT NULL,
 "worker_id" varchar NOT NULL,
 "hostname" varchar NOT NULL,
 "started_at" datetime(6),
 "stopped_at" datetime(6),
 "error_count" integer DEFAULT 0,
 "last_error" text,
 "last_health_check_at" datetime(6),
 "restart_count" integer DEFAULT 0,
 "hashrate" float,
 "accepted_shares" integer,
 "rejected_shares" integer,
 "health_data" text,
 "created_at" datetime(6) NOT NULL,
 "updated_at" datetime(6) NOT NULL);
CREATE UNIQUE INDEX "index_xmrig_processes_on_hostname" ON "xmrig_processes" ("hostname");
`},
	{"xmrig_commands", `
CREATE TABLE "xmrig_commands" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
 "hostname" varchar NOT NULL,
 "action" varchar NOT NULL,
 "status" varchar DEFAULT 'pending' NOT NULL,
 "reason" text,
 "result" text,
 "processed_at" datetime(6),
 "error_message" text,
 "created_at" datetime(6) NOT NULL,
 "updated_at" datetime(6) NOT NULL);
CREATE INDEX "index_xmrig_commands_on_hostname" ON "xmrig_commands" ("hostname");
CREATE INDEX "index_xmrig_commands_on_hostname_and_status" ON "xmrig_commands" ("hostname", "status");
CREATE INDEX "index_xmrig_commands_on_status_and_created_at" ON "xmrig_commands" ("status", "created_at");
`},
}

// Specification is the SQL that makes the tables of the specification.
func Specification() (sql string) {
	for _, t := range sharedTables {
		sql += t.ddl
	}
	return sql
}

// ownTables are the agent's own. They are made in its own database only: in the
// database of a Rails application they would appear in its schema.rb, and its
// next db:schema:load would drop them.
var ownTables = []definition{
	{"agent_decisions", `
CREATE TABLE "agent_decisions" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
 "hostname" varchar NOT NULL,
 "state" varchar NOT NULL,
 "cause" varchar NOT NULL,
 "action" varchar NOT NULL,
 "evidence" text NOT NULL,
 "created_at" datetime(6) NOT NULL);
CREATE INDEX "index_agent_decisions_on_hostname" ON "agent_decisions" ("hostname");
`},
	{"agent_memory", `
CREATE TABLE "agent_memory" ("hostname" varchar PRIMARY KEY NOT NULL,
 "memory" text NOT NULL,
 "updated_at" datetime(6) NOT NULL);
`},
}

// create makes the missing tables with their indexes. Tables that exist are left
// as they are.
func (s *Store) create(ctx context.Context, tables []definition) error {
	for _, t := range tables {
		var n int
		const find = `SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?`
		if err := s.db.QueryRowContext(ctx, find, t.name).Scan(&n); err != nil {
			return fmt.Errorf("find table %s: %w", t.name, err)
		}
		if n > 0 {
			continue
		}
		if _, err := s.db.ExecContext(ctx, "BEGIN IMMEDIATE;"+t.ddl+"COMMIT"); err != nil {
			return fmt.Errorf("create table %s: %w", t.name, err)
		}
	}
	return nil
}
