// No toolkit at all: requests and callbacks.
api.on_inbound_message = function (command) {
    var self = this;
    self.request('kv.incr', { key: 'count', amount: 1 }, function (reply) {
        self.request('outbound.reply_to', {
            content: command.msg.content + ' ' + reply.value,
            in_reply_to: command.msg.message_id,
        }, function () {
            self.done();
        });
    });
};
