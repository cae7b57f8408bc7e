# The application of the specification without Rails, which Debian 12 has no
# recent one of: its files as they are there, on ActiveRecord alone. For
#
#   DATABASE=... JOURNAL=... ruby -r ./boot.rb -e CODE
#
# as for `bin/rails runner CODE`.

require "active_record"
require "active_support/all"
require "logger"

module Rails
  Config = Struct.new(:xmrig_hosts)
  Application = Struct.new(:config)

  class << self
    def logger = @logger ||= Logger.new(IO::NULL)
    def application = @application ||= Application.new(Config.new(["mini-1"]))
  end
end

# Rails 8 begins each transaction so. Before, one that first reads and then writes
# fails where another program writes meanwhile.
module BeginImmediate
  def begin_db_transaction = log("BEGIN IMMEDIATE", nil) { @connection.transaction(:immediate) }
end
require "active_record/connection_adapters/sqlite3_adapter"
ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(BeginImmediate)

# A machine may be slow: nobody here gives up on another one's lock.
ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: ENV.fetch("DATABASE"), timeout: 600_000)
ActiveRecord::Base.connection.execute("PRAGMA journal_mode = #{ENV.fetch("JOURNAL")}")
ActiveRecord::Migration.verbose = false

class ApplicationRecord < ActiveRecord::Base
  self.abstract_class = true
end

class ApplicationJob
  def self.queue_as(_) = nil
  def self.perform_now = new.perform
end

Dir[File.join(__dir__, "app/**/*.rb")].each { |file| require file }

# migrations are those that have run once this has made the tables that ActiveRecord
# keeps of them.
def migrations
  context = ActiveRecord::MigrationContext.new(File.join(__dir__, "db/migrate"), ActiveRecord::SchemaMigration)
  ActiveRecord::SchemaMigration.create_table
  ActiveRecord::InternalMetadata.create_table
  context
end
