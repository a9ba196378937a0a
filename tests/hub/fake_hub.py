"""A Hub on this machine: as much of the service as six calls of huggingface_hub need."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse


class FakeHub:
    """Repositories of models; each is a list of commits, and each commit its files."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, dict[str, bytes]]] = {}
        self.private: dict[str, bool] = {}
        self.requests: list[str] = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"

    def commit(self, name: str, files: dict[str, bytes]) -> str:
        commits = self.repositories.setdefault(name, {})
        content = json.dumps([len(commits), name, *sorted((k, hashlib.sha1(v).hexdigest()) for k, v in files.items())])
        commits[found := hashlib.sha1(content.encode()).hexdigest()] = dict(files)
        return found

    def newest(self, name: str) -> dict[str, bytes]:
        return list(self.repositories[name].values())[-1]

    def at(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commits = self.repositories.get(name, {})
        commit = list(commits)[-1] if revision == "main" and commits else revision
        return (commit, commits[commit]) if commit in commits else None


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def answer(self, content: Any, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def missing(self, code: str) -> None:
        self.answer({"error": code}, 404, X_Error_Code=code, X_Error_Message=code)

    def do_GET(self) -> None:
        path = unquote(urlparse(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        if found := re.fullmatch(
            r"/api/(?:models|datasets)/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)(?:/(.+))?)?", path
        ):
            name, what, revision = found[1], found[2], found[3] or "main"
            at = self.hub.at(name, revision)
            if name not in self.hub.repositories:
                return self.missing("RepoNotFound")
            if at is None and revision != "main":
                return self.missing("RevisionNotFound")
            commit, files = at or ("0" * 40, {})
            if what == "tree":
                oid = {"oid": "0" * 40, "type": "file"}
                inside = "" if found[4] is None else f"{found[4]}/"
                there = {k: v for k, v in files.items() if k.startswith(inside)}
                return self.answer([oid | {"path": k, "size": len(v)} for k, v in there.items()])
            siblings = [{"rfilename": k, "size": len(v)} for k, v in files.items()]
            about = {"id": name, "sha": commit, "private": self.hub.private.get(name, False), "siblings": siblings}
            return self.answer(about)
        if found := re.fullmatch(r"(?:/datasets)?/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            at = self.hub.at(found[1], found[2])
            if at is None or found[3] not in at[1]:
                return self.missing("EntryNotFound")
            content = at[1][found[3]]
            about = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X_Repo_Commit": at[0]}
            part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            sent = content if part is None else content[int(part[1]) : int(part[2]) + 1]
            return self.answer(sent, 200 if part is None else 206, **about)
        return self.missing("EntryNotFound")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        path = unquote(urlparse(self.path).path)
        self.hub.requests.append(f"POST {path}")
        body = self._body()
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'ada'}/{asked['name']}"
            private = bool(asked.get("private")) or asked.get("visibility") == "private"
            self.hub.repositories[name], self.hub.private[name] = {}, private
            return self.answer({"url": f"{self.hub.endpoint}/{name}", "id": name, "name": name})
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            return self.answer(
                {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
            )
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path)
        assert found is not None, path
        files = dict(self.hub.newest(found[1])) if self.hub.repositories[found[1]] else {}
        for line in map(json.loads, body.decode().splitlines()):
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del files[line["value"]["path"]]
        commit = self.hub.commit(found[1], files)
        url = f"{self.hub.endpoint}/{found[1]}/commit/{commit}"
        return self.answer({"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
