# What an application does that has found each host to have a database of its own.
class ForgetHostname < ActiveRecord::Migration[6.1]
  def change
    remove_index :xmrig_commands, :hostname
    remove_index :xmrig_commands, [:hostname, :status]
    remove_column :xmrig_commands, :hostname, :string
  end
end
