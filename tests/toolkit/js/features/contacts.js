// Contacts and groups, which Vumi Go offered and Vumi never did.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var EndState = vumigo.states.EndState;

var ContactsApp = App.extend(function (self) {
    App.call(self, 'start');

    self.states.add('start', function (name) {
        var asked = self.im.config.ask === 'groups'
            ? self.im.groups.get('friends', { create: true })
            : self.im.contacts.for_user();
        return asked.then(function () {
            return new EndState(name, { text: 'There they are.' });
        });
    });
});

vumigo.interact(this.api, ContactsApp);
