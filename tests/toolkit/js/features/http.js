// Requests to a web service: text and JSON, each method, headers, parameters, what fails.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var FreeText = vumigo.states.FreeText;
var EndState = vumigo.states.EndState;
var HttpApi = vumigo.http.api.HttpApi;
var JsonApi = vumigo.http.api.JsonApi;

var HttpApp = App.extend(function (self) {
    App.call(self, 'ask');

    self.init = function () {
        self.base = self.im.config.service;
        self.text = new HttpApi(self.im, { headers: { 'X-App': ['text'] } });
        self.json = new JsonApi(self.im, { auth: { username: 'anna', password: 'Größe' } });
    };

    var requests = {
        get: function () { return self.text.get(self.base + '/echo', { params: { q: 'a b', n: ['1', '2'] } }); },
        head: function () { return self.text.head(self.base + '/echo'); },
        post: function () { return self.text.post(self.base + '/echo', { data: 'plain' }); },
        put: function () { return self.json.put(self.base + '/echo', { data: { name: 'Zoë' } }); },
        patch: function () { return self.json.patch(self.base + '/echo', { data: [1, null] }); },
        delete: function () { return self.json.delete(self.base + '/echo'); },
        teapot: function () { return self.json.get(self.base + '/teapot'); },
        broken: function () { return self.json.get(self.base + '/broken'); },
        blocked: function () { return self.text.get('http://192.0.2.1/'); },
    };

    self.states.add('ask', function (name) {
        return new FreeText(name, {
            question: 'Which request?',
            next: function (content) {
                return requests[content]().then(function (response) {
                    return { code: response.code, data: response.data === undefined ? response.body : response.data };
                }, function (error) {
                    return { error: error.name, code: error.response && error.response.code, text: error.message };
                }).then(function (told) {
                    return { name: 'told', creator_opts: { told: JSON.stringify(told) } };
                });
            },
        });
    });

    self.states.add('told', function (name, opts) {
        return new EndState(name, { text: opts.told, next: 'ask' });
    });
});

vumigo.interact(this.api, HttpApp);
