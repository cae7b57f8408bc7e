# The unit tests of the specification, on a database of their own.

require "minitest/autorun"
require "active_support/test_case"
require_relative "../boot"

migrations.migrate(2)

class ActiveSupport::TestCase
  setup { [XmrigProcess, XmrigCommand].each(&:delete_all) }
end

class XmrigProcessTest < ActiveSupport::TestCase
  test "enforces unique hostname" do
    XmrigProcess.create!(hostname: 'test-host', worker_id: 'test', status: 'running')

    assert_raises(ActiveRecord::RecordInvalid) do
      XmrigProcess.create!(hostname: 'test-host', worker_id: 'test2', status: 'running')
    end
  end

  test "stale? returns true for old health checks" do
    process = XmrigProcess.create!(
      hostname: 'test-host',
      worker_id: 'test',
      status: 'running',
      last_health_check_at: 10.minutes.ago
    )

    assert process.stale?
  end

  test "healthy? returns true for recent running process" do
    process = XmrigProcess.create!(
      hostname: 'test-host',
      worker_id: 'test',
      status: 'running',
      last_health_check_at: 1.minute.ago
    )

    assert process.healthy?
  end
end

class XmrigCommandTest < ActiveSupport::TestCase
  test "pending scope returns oldest first" do
    cmd1 = XmrigCommand.create!(hostname: 'host1', action: 'start', status: 'pending', created_at: 2.minutes.ago)
    cmd2 = XmrigCommand.create!(hostname: 'host1', action: 'stop', status: 'pending', created_at: 1.minute.ago)

    assert_equal [cmd1.id, cmd2.id], XmrigCommand.pending.map(&:id)
  end

  test "mark_processing! updates status and timestamp" do
    cmd = XmrigCommand.create!(hostname: 'host1', action: 'start', status: 'pending')
    cmd.mark_processing!

    assert_equal 'processing', cmd.status
    assert_not_nil cmd.processed_at
  end

  test "mark_failed! stores error message" do
    cmd = XmrigCommand.create!(hostname: 'host1', action: 'start', status: 'pending')
    cmd.mark_failed!('Connection timeout')

    assert_equal 'failed', cmd.status
    assert_equal 'Connection timeout', cmd.error_message
  end
end

class CommandServiceTest < ActiveSupport::TestCase
  test "start_mining creates pending start command" do
    assert_difference 'XmrigCommand.count', 1 do
      Xmrig::CommandService.start_mining('test-host', reason: 'test')
    end

    cmd = XmrigCommand.last
    assert_equal 'test-host', cmd.hostname
    assert_equal 'start', cmd.action
    assert_equal 'pending', cmd.status
    assert_equal 'test', cmd.reason
  end

  test "start_mining cancels pending commands" do
    old_cmd = XmrigCommand.create!(hostname: 'host1', action: 'stop', status: 'pending')

    Xmrig::CommandService.start_mining('host1')

    old_cmd.reload
    assert_equal 'failed', old_cmd.status
    assert_includes old_cmd.error_message, 'Superseded'
  end

  test "start_all creates commands for all configured hosts" do
    Rails.application.config.xmrig_hosts = ['host1', 'host2', 'host3']

    assert_difference 'XmrigCommand.count', 3 do
      Xmrig::CommandService.start_all
    end
  end
end

class StatusMonitorJobTest < ActiveSupport::TestCase
  test "detects and logs stale processes" do
    XmrigProcess.create!(
      hostname: 'test-host',
      worker_id: 'test',
      status: 'running',
      last_health_check_at: 10.minutes.ago
    )

    assert_nothing_raised do
      Xmrig::StatusMonitorJob.perform_now
    end
  end

  test "logs failed commands" do
    XmrigCommand.create!(
      hostname: 'test',
      action: 'start',
      status: 'failed',
      error_message: 'Test error',
      created_at: 30.minutes.ago
    )

    assert_nothing_raised do
      Xmrig::StatusMonitorJob.perform_now
    end
  end
end

class CommandFlowTest < ActiveSupport::TestCase
  test "command flow from Rails to database" do
    assert_difference 'XmrigCommand.count', 1 do
      Xmrig::CommandService.start_mining('test-host', reason: 'test')
    end

    cmd = XmrigCommand.last
    assert_equal 'pending', cmd.status

    cmd.mark_processing!
    assert_equal 'processing', cmd.status

    cmd.mark_completed!('Started successfully')
    assert_equal 'completed', cmd.status
  end
end
