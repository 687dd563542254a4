// Messages that are no replies, endpoints, and helper metadata on a reply.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var FreeText = vumigo.states.FreeText;

var OutboundApp = App.extend(function (self) {
    App.call(self, 'start');
    var $ = self.$;

    self.states.add('start', function (name) {
        return new FreeText(name, {
            question: 'Send what?',
            helper_metadata: function () {
                return { voice: { speech_url: 'https://example.org/hello.mp3' } };
            },
            next: function (content) {
                return self.im.outbound
                    .send_to_user({ endpoint: 'sms', content: $('To you: {{ text }}').context({ text: content }) })
                    .then(function () {
                        return self.im.outbound.send({ to: '+27000', endpoint: 'sms', content: 'To another: ' + content });
                    })
                    .then(function () {
                        return self.im.outbound.send({ to: '+27000', endpoint: 'fax', content: 'never' });
                    })
                    .catch(function (error) {
                        return self.im.log.warning(error.name + ': ' + error.message);
                    })
                    .thenResolve('start');
            },
        });
    });
});

vumigo.interact(this.api, OutboundApp);
