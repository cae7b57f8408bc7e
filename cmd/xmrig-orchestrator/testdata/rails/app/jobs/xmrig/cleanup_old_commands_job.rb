module Xmrig
  class CleanupOldCommandsJob < ApplicationJob
    queue_as :default

    def perform
      deleted = XmrigCommand.where('created_at < ?', 24.hours.ago).delete_all
      Rails.logger.info "Cleaned up #{deleted} old XMRig commands" if deleted > 0
    end
  end
end
