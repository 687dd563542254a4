// Contacts and groups, which Vumi Go offered.
var Q = require('q');
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var EndState = vumigo.states.EndState;
var FreeText = vumigo.states.FreeText;

function reason(promise) {
    return promise.then(
        function () { return 'no error'; },
        function (error) { return error.reply.reason; });
}

var ContactsApp = App.extend(function (self) {
    App.call(self, 'start');

    var parts = {
        // The user's own contact, made when it is first asked for.
        user: function () {
            return self.im.contacts.for_user().then(function (contact) {
                return [contact.msisdn, contact.name || 'unnamed', contact.extra.town || null].map(String).join(' ');
            });
        },

        // Changed and saved, then read again by its key.
        name: function () {
            return self.im.contacts.for_user().then(function (contact) {
                contact.name = 'Zoë';
                contact.extra.town = 'Cape Town';
                contact.subscription.news = 'weekly';
                return self.im.contacts.save(contact).then(function () {
                    return self.im.contacts.get_by_key(contact.key);
                });
            }).then(function (contact) {
                return contact.name + ' of ' + contact.extra.town + ', ' + contact.subscription.news;
            });
        },

        // By other kinds of addresses, and with a number that lacks its plus.
        others: function () {
            return Q.all([
                self.im.contacts.get('@zoe', { create: true, delivery_class: 'twitter' }),
                reason(self.im.contacts.get('@zoe', { delivery_class: 'gtalk' })),
                self.im.contacts.create({ msisdn: '27', name: 'Anakin', extra: { n: '1' } }),
            ]).spread(function (zoe, error, anakin) {
                return self.im.contacts.get('27').then(function (again) {
                    if (again.key !== anakin.key) throw new Error('another one');
                    return [zoe.twitter_handle, error, '+' + again.msisdn, again.extra.n].join(' ');
                });
            });
        },

        search: function () {
            return Q.all([
                self.im.contacts.search('name:*'),
                self.im.contacts.search_keys('name:"Anakin" AND extras-n:1'),
            ]).spread(function (all, keys) {
                return self.im.contacts.get_by_key(keys[0]).then(function (anakin) {
                    return all.map(function (contact) { return contact.name; }).join(',') + ' ' + anakin.name;
                });
            });
        },

        // One group with members that name it, one with a query.
        groups: function () {
            var groups = self.im.groups;
            return groups.get('friends', { create: true }).then(function (friends) {
                return self.im.contacts.search('name:Zoë OR name:Anakin').then(function (contacts) {
                    return Q.all(contacts.map(function (contact) {
                        contact.groups = [friends.key];
                        return self.im.contacts.save(contact);
                    }));
                }).then(function () {
                    return groups.get('enemies', { create: true });
                }).then(function (enemies) {
                    enemies.query = 'name:Vader';
                    return groups.save(enemies).then(function () {
                        return Q.all([groups.sizeOf(friends), groups.sizeOf(enemies), groups.list()]);
                    }).spread(function (many, none, list) {
                        enemies.name = 'foes';
                        return groups.save(enemies).then(function () {
                            return Q.all([groups.get('foes'), groups.get_by_key(enemies.key), groups.search('name:fo*')]);
                        }).spread(function (named, keyed, found) {
                            var names = list.map(function (group) { return group.name; }).join(',');
                            var same = named.key === keyed.key && found.length === 1 && found[0].key === keyed.key;
                            return [friends.name, many, 'enemies', none, names, named.name, same].join(' ');
                        });
                    });
                });
            });
        },

        class: function () {
            return reason(self.im.contacts.get('Coo', { delivery_class: 'pigeon' }));
        },
    };

    self.states.add('start', function (name) {
        return new FreeText(name, {
            question: 'Which part?',
            next: function (part) {
                return parts[part]().then(function (said) {
                    return { name: 'said', creator_opts: { said: said } };
                });
            },
        });
    });

    self.states.add('said', function (name, opts) {
        return new EndState(name, { text: opts.said, next: 'start' });
    });
});

vumigo.interact(this.api, ContactsApp);
