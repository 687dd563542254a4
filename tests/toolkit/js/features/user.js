// What is kept of a user between messages, and kv beside it.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var FreeText = vumigo.states.FreeText;
var EndState = vumigo.states.EndState;

var UserApp = App.extend(function (self) {
    App.call(self, 'name');

    self.states.add('name', function (name) {
        return new FreeText(name, {
            question: 'Your name?',
            next: function () {
                self.im.user.metadata.visits = (self.im.user.metadata.visits || 0) + 1;
                return self.im.api_request('kv.incr', { key: 'names', amount: 1 }).then(function (reply) {
                    return { name: 'end', creator_opts: { nth: reply.value } };
                });
            },
        });
    });

    self.states.add('end', function (name, opts) {
        return self.im.api_request('kv.get', { key: 'motto' }).then(function (reply) {
            return new EndState(name, {
                text: [
                    'Hello ' + self.im.user.get_answer('name'),
                    'name ' + opts.nth,
                    'visit ' + self.im.user.metadata.visits,
                    'motto ' + JSON.stringify(reply.value),
                ].join(', '),
                next: 'forget',
            });
        });
    });

    self.states.add('forget', function (name) {
        return new FreeText(name, {
            question: 'Forget the motto?',
            next: function (content) {
                var done = content === 'yes'
                    ? self.im.api_request('kv.delete', { key: 'motto' })
                    : self.im.api_request('kv.set', { key: 'motto', value: { text: content }, seconds: 60 });
                return done.thenResolve('name');
            },
        });
    });
});

vumigo.interact(this.api, UserApp);
