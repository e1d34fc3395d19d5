// The peer's centre: PouchDB over HTTP with its own store (LevelDB) in a folder.
// node pouchdb_server.js PORT FOLDER
const express = require("express");
const PouchDB = require("pouchdb");
const [port, folder] = process.argv.slice(2);
const Stored = PouchDB.defaults({ prefix: folder + "/" });
const app = express();
app.use("/", require("express-pouchdb")(Stored, {
  inMemoryConfig: true,
  logPath: "/dev/null",
  mode: "minimumForPouchDB",
}));
app.listen(Number(port), "127.0.0.1", () => console.log("ready"));
