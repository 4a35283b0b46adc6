"""A database in a file, and one in memory with a function of its own, from a thread."""

import sqlite3
import threading


def fill():
    with sqlite3.connect("numbers.db") as connection:
        connection.execute("create table numbers (number integer)")
        connection.executemany("insert into numbers values (?)", [(number,) for number in range(1000)])
    connection.close()


thread = threading.Thread(target=fill)
thread.start()
thread.join()
connection = sqlite3.connect("numbers.db")
connection.create_function("thrice", 1, lambda number: 3 * number)
print(connection.execute("select sum(thrice(number)) from numbers").fetchall())
try:
    connection.execute("select nothing from nowhere")
except sqlite3.OperationalError as error:
    print(error)
