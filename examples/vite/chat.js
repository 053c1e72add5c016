const ws = new WebSocket(`ws://${location.host}/chat`);
const form = document.querySelector("form");

ws.onmessage = ({ data }) => show(data);
form.onsubmit = (event) => {
  event.preventDefault();
  const input = form.querySelector("input");
  ws.send(input.value);
  show(input.value);
  input.value = "";
};

function show(message) {
  const item = document.createElement("li");
  item.textContent = message;
  document.querySelector("ul").append(item);
}
