module Xmrig
  class StatusMonitorJob < ApplicationJob
    queue_as :default

    def perform
      XmrigProcess.find_each do |process|
        if process.stale?
          Rails.logger.warn "Stale process detected: #{process.hostname}"
        end
      end

      failed = XmrigCommand.where(status: 'failed').recent
      if failed.any?
        Rails.logger.warn "#{failed.count} failed commands in last hour"
      end
    end
  end
end
