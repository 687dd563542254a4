// What the toolkit offers beside states: helpers, models, a logger, promises, dates.
var vumigo = require('vumigo_v02');
var Q = require('q');
var _ = require('lodash');
var moment = require('moment');

var App = vumigo.App;
var FreeText = vumigo.states.FreeText;
var Model = vumigo.structs.Model;
var utils = vumigo.utils;

var Patient = Model.extend(function (self, attrs) {
    Model.call(self);
    self.cls.defaults = { name: 'nobody' };
    self.do.reset(attrs);
});

var LibraryApp = App.extend(function (self) {
    App.call(self, 'start');

    var parts = {
        utils: function () {
            return [
                utils.basic_auth('anna', 'secret'),
                utils.vumi_utc('2026-01-31T08:00:00Z'),
                /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(utils.uuid()),
                utils.uuid() === utils.uuid(),
            ];
        },
        model: function () {
            return [new Patient().do.serialize(), new Patient({ name: 'Anna' }).do.serialize()];
        },
        log: function () {
            return Q.all(['debug', 'info', 'warning', 'error', 'critical'].map(function (level) {
                return self.im.log[level]('at ' + level);
            })).then(function () { return self.im.log('at info again'); }).thenResolve('logged');
        },
        libraries: function () {
            return Q.delay(1).then(function () {
                return [
                    _.chunk([1, 2, 3], 2),
                    moment.utc('2026-01-31').add(1, 'month').format('dddd YYYY-MM-DD'),
                    _.template('{{ a }}')({ a: 1 }),
                ];
            });
        },
        time: function () {
            var ago = Math.abs(moment().diff(moment.utc(self.im.msg.timestamp), 'minutes'));
            return [ago < 10, Math.random() === Math.random()];
        },
    };

    self.states.add('start', function (name, opts) {
        return new FreeText(name, {
            question: opts.told || 'Which part?',
            next: function (content) {
                return Q(parts[content]()).then(function (result) {
                    return { name: 'told', creator_opts: { told: JSON.stringify(result) } };
                });
            },
        });
    });

    self.states.add('told', function (name, opts) {
        return new FreeText(name, { question: opts.told, next: 'start' });
    });
});

vumigo.interact(this.api, LibraryApp);
