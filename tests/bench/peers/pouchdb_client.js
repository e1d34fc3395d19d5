// The peer's kiosk: documents in a local store, replicated in batches of 100.
// node pouchdb_client.js PORT FOLDER DOCUMENTS NAME; waits for a line before it replicates.
const fs = require("fs");
const PouchDB = require("pouchdb");
const [port, folder, file, name] = process.argv.slice(2);

async function main() {
  const documents = JSON.parse(fs.readFileSync(file, "utf8"));
  const local = new PouchDB(folder + "/" + name);
  for (let start = 0; start < documents.length; start += 1000) {
    await local.bulkDocs(documents.slice(start, start + 1000));
  }
  const remote = new PouchDB("http://127.0.0.1:" + port + "/" + name);
  await remote.info();
  console.log("ready");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const begun = process.hrtime.bigint();
  const done = await local.replicate.to(remote, { batch_size: 100 });
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  const held = (await remote.info()).doc_count;
  console.log(JSON.stringify({ seconds, count: done.docs_written, held }));
  process.exit(0);
}
main();
