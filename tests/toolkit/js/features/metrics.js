// Metrics with each aggregator, a counter, and a store of another name.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var FreeText = vumigo.states.FreeText;
var MetricStore = vumigo.metrics.api.MetricStore;

var MetricsApp = App.extend(function (self) {
    App.call(self, 'start');

    self.init = function () {
        self.other = new MetricStore(self.im);
        return self.other.setup({ store_name: 'elsewhere' });
    };

    self.states.add('start', function (name) {
        return new FreeText(name, {
            question: 'Count?',
            next: function (content) {
                var n = Number(content);
                return self.im.metrics.fire('plain', n, 'avg')
                    .then(function () { return self.im.metrics.fire.sum('sum', n); })
                    .then(function () { return self.im.metrics.fire.avg('avg', n); })
                    .then(function () { return self.im.metrics.fire.min('min', n); })
                    .then(function () { return self.im.metrics.fire.max('max', n); })
                    .then(function () { return self.im.metrics.fire.last('last', n); })
                    .then(function () { return self.im.metrics.fire.inc('inc'); })
                    .then(function () { return self.im.metrics.fire.inc('inc', { amount: n }); })
                    .then(function () { return self.other.fire.sum('sum', n); })
                    .thenResolve('start');
            },
        });
    });
});

vumigo.interact(this.api, MetricsApp);
