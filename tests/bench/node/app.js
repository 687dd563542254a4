// What the guest `probe` does when it is asked to `bench-log`: one key read, one written, a line for the log, a reply.
api.on_inbound_message = function (command) {
  var self = this, message = command.msg;
  self.request('kv.get', { key: 'bench' }, function (answer) {
    var seen = answer.value || 0;
    self.request('kv.set', { key: 'bench', value: seen + 1 }, function () {
      self.log_info('seen ' + seen + ' messages', function () {
        var reply = { content: message.content, in_reply_to: message.message_id, continue_session: true };
        self.request('outbound.reply_to', reply, function () { self.done(); });
      });
    });
  });
};
