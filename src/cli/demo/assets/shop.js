// The shop's own script. Everything but the parrot also works without it.
(function () {
  function cookie(name) {
    var found = document.cookie.split('; ').find(function (pair) { return pair.indexOf(name + '=') === 0; });
    return found ? found.slice(name.length + 1) : '';
  }

  // Add to the cart without leaving the page; if anything goes wrong, the plain form does it.
  document.querySelectorAll('form[action="/cart"]').forEach(function (form) {
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      fetch('/api/cart', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-XSRF-TOKEN': cookie('XSRF-TOKEN') },
        body: JSON.stringify({ product: event.submitter.value })
      }).then(function (response) {
        if (!response.ok) throw response.status;
        return response.json();
      }).then(function (cart) {
        document.querySelector('.cart b').textContent = cart.items;
      }).catch(function () {
        var hidden = document.createElement('input');
        hidden.type = 'hidden'; hidden.name = 'product'; hidden.value = event.submitter.value;
        form.append(hidden);
        form.submit();
      });
    });
  });

  var parrot = document.getElementById('parrot');
  if (!parrot) return;
  var answer = document.getElementById('answer');
  var socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/ws');
  socket.onopen = function () { socket.send(parrot.question.value); };
  socket.onmessage = function (event) { answer.textContent = event.data; };
  socket.onclose = function () { answer.textContent = 'nothing more; the line is closed'; };
  parrot.addEventListener('submit', function (event) {
    event.preventDefault();
    if (socket.readyState === WebSocket.OPEN) socket.send(parrot.question.value);
  });

  var news = new EventSource('/events');
  news.onmessage = function (event) {
    document.getElementById('news').textContent = event.data;
    if (event.lastEventId === '2') news.close();
  };
})();
