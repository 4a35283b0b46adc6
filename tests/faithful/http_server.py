"""A web server in a thread, a client, and a shutdown."""

import http.server
import threading
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"you asked for {self.path}".encode())

    def log_message(self, form, *words):
        print("log", form % words)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
thread = threading.Thread(target=server.serve_forever, args=(0.01,))
thread.start()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for path in ("/", "/a", "/b"):
    print(opener.open(f"http://127.0.0.1:{server.server_port}{path}").read())
server.shutdown()
thread.join()
server.server_close()
print("closed")
