// Every event of the toolkit is logged; events of messages are counted; `exit` runs at the end of each run.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var FreeText = vumigo.states.FreeText;
var EndState = vumigo.states.EndState;

var EventsApp = App.extend(function (self) {
    function tell(event) {
        return self.im.log.debug('event ' + event.name + (event.content ? ' ' + event.content : ''));
    }

    App.call(self, 'start', {
        events: {
            'setup': tell,
            'im session:new': tell,
            'im session:resume': tell,
            'im session:close': function (event) {
                return self.im.log.debug('event session:close by ' + (event.user_terminated ? 'user' : 'app'));
            },
            'im user:new': tell,
            'im.user user:new': tell,
            'im.user user:load': tell,
            'im state:enter': tell,
            'im state:exit': tell,
            'im state:resume': tell,
            'im reply': tell,
            'im im:shutdown': tell,
            'im inbound_event': function (event) {
                return self.im.log.debug('event ' + event.event.event_type + ' of ' + event.event.user_message_id);
            },
        },
    });

    self.exit = function () {
        return self.im.log.critical('exit');
    };

    self.states.add('start', function (name) {
        return new FreeText(name, {
            question: 'Go on?',
            events: { 'state:input': tell, 'state:invalid': tell, 'state:show': tell },
            check: function (content) {
                if (content === 'no') return 'Please do.';
            },
            next: 'end',
        });
    });

    self.states.add('end', function (name) {
        return new EndState(name, { text: 'The end.', next: 'start' });
    });
});

vumigo.interact(this.api, EventsApp);
