// Shows /asyncapi.json: every event with its fields, who tells it and who listens.
"use strict";

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

function services(api, name, action) {
  return Object.keys(api.operations)
    .filter((key) => key.endsWith(`.${action}.${name}`))
    .map((key) => key.split(".")[0]);
}

function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.type === "array") return `list of ${kind(schema.items)}`;
  return schema.format || schema.type || "anything";
}

function show(api, name, parent) {
  const message = api.components.messages[name];
  const schema = api.components.schemas[name];
  const section = element("section", "", parent);
  element("h2", name, section).id = name;
  element("p", `${message.summary} ${message.description || ""}`, section);
  element("code", message.name, section);
  const listeners = services(api, name, "receive").join(", ") || "nobody yet";
  element("p", `Told by ${services(api, name, "send")}, heard by ${listeners}.`, section);
  const table = element("table", "", section);
  for (const [field, type] of Object.entries(schema.properties)) {
    const row = element("tr", "", table);
    element("code", field, element("td", "", row));
    element("td", kind(type), row);
    element("td", schema.required.includes(field) ? "" : "optional", row);
  }
}

fetch("/asyncapi.json")
  .then((answer) => answer.json())
  .then((api) => {
    document.getElementById("about").textContent = api.info.description;
    const events = document.getElementById("events");
    for (const name of Object.keys(api.channels)) show(api, name, events);
  });
