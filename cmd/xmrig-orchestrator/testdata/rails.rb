# The specification's migrations, models and CommandService, on ActiveRecord alone:
#
#   ruby rails.rb DATABASE MODE connect|migrate|forget_hostname|recall_hostname
#   ruby rails.rb DATABASE MODE start|stop|restart [TIMES]
#   ruby rails.rb DATABASE MODE check

require "active_record"
require "logger"

DATABASE, MODE, COMMAND, TIMES = ARGV
HOST = "mini-1"

module Rails
  def self.logger = @logger ||= Logger.new(IO::NULL)
end

ActiveRecord::Migration.verbose = false
ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: DATABASE, timeout: 600_000)
ActiveRecord::Base.connection.execute("PRAGMA journal_mode = #{MODE}")

class CreateXmrigProcesses < ActiveRecord::Migration[6.1]
  def change
    create_table :xmrig_processes do |t|
      t.integer :pid
      t.string :status, null: false, default: "stopped"
      t.string :worker_id, null: false
      t.string :hostname, null: false
      t.datetime :started_at
      t.datetime :stopped_at
      t.integer :error_count, default: 0
      t.text :last_error
      t.datetime :last_health_check_at
      t.integer :restart_count, default: 0
      t.float :hashrate
      t.integer :accepted_shares
      t.integer :rejected_shares
      t.text :health_data
      t.timestamps
      t.index [:hostname], unique: true
    end
  end
end

class CreateXmrigCommands < ActiveRecord::Migration[6.1]
  def change
    create_table :xmrig_commands do |t|
      t.string :hostname, null: false, index: true
      t.string :action, null: false
      t.string :status, null: false, default: "pending"
      t.text :reason
      t.text :result
      t.datetime :processed_at
      t.text :error_message
      t.timestamps
      t.index [:hostname, :status]
      t.index [:status, :created_at]
    end
  end
end

# What an application does that has found each host to have a database of its own.
class ForgetHostname < ActiveRecord::Migration[6.1]
  def change
    remove_index :xmrig_commands, :hostname
    remove_index :xmrig_commands, [:hostname, :status]
    remove_column :xmrig_commands, :hostname, :string, null: false, default: HOST
  end
end

class XmrigProcess < ActiveRecord::Base
  STATUSES = %w[stopped starting running unhealthy stopping crashed restarting].freeze

  validates :hostname, presence: true, uniqueness: true
  validates :status, inclusion: { in: STATUSES }
  validates :worker_id, presence: true

  def healthy?
    status == "running" && last_health_check_at && last_health_check_at > 2.minutes.ago
  end

  def self.for_host(hostname)
    find_or_initialize_by(hostname: hostname) do |process|
      process.worker_id = "#{hostname}-production"
      process.status = "stopped"
    end
  end
end

class XmrigCommand < ActiveRecord::Base
  ACTIONS = %w[start stop restart].freeze
  STATUSES = %w[pending processing completed failed].freeze

  validates :action, inclusion: { in: ACTIONS }
  validates :status, inclusion: { in: STATUSES }

  scope :pending, -> { where(status: "pending").order(:created_at) }
  scope :for_host, ->(hostname) { column_names.include?("hostname") ? where(hostname: hostname) : all }
end

module Xmrig
  class CommandService
    def self.issue(action, hostname, reason:)
      XmrigCommand.for_host(hostname).pending.update_all(status: "failed", error_message: "Superseded by new command")
      row = { action: action, reason: reason, status: "pending" }
      row[:hostname] = hostname if XmrigCommand.column_names.include?("hostname")
      XmrigCommand.create!(row)
      Rails.logger.info "Issued #{action} command for #{hostname}: #{reason}"
    end
  end
end

case COMMAND
when "connect"
  ActiveRecord::SchemaMigration.create_table
  ActiveRecord::InternalMetadata.create_table
when "migrate"
  CreateXmrigProcesses.migrate(:up)
  CreateXmrigCommands.migrate(:up)
when "forget_hostname"
  ForgetHostname.migrate(:up)
when "recall_hostname"
  ForgetHostname.migrate(:down)
when "check"
  bad = XmrigCommand.all.reject(&:valid?) + XmrigProcess.all.reject(&:valid?)
  abort "not valid: #{bad.inspect}" if bad.any?
  row = XmrigProcess.for_host(HOST)
  abort "no row for #{HOST}: #{XmrigProcess.all.inspect}" unless row.persisted? && XmrigProcess.count == 1
  abort "not healthy: #{row.inspect}" unless row.healthy? && row.hashrate.positive? && row.accepted_shares
  JSON.parse(row.health_data)
  puts XmrigCommand.group(:status).count.sort.map { |status, n| "#{status} #{n}" }
else
  TIMES.to_i.clamp(1, 1000).times do |i|
    Xmrig::CommandService.issue(COMMAND, HOST, reason: "#{Process.pid}-#{i}")
    XmrigProcess.for_host(HOST).healthy?
  end
end
