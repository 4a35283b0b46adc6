"""get returns what the task returned, or raises what it raised; callbacks are told as well."""

from multiprocessing import Pool


def divide(number):
    return 12 // number


def done(value):
    print("callback:", value)


def failed(error):
    print("error_callback:", type(error).__name__)


if __name__ == "__main__":
    pool = Pool(2)
    results = [pool.apply_async(divide, (number,), callback=done, error_callback=failed) for number in (3, 2, 1, 0)]
    for result in results:
        try:
            print("get returned", result.get())
        except ZeroDivisionError as error:
            print("get raised", type(error).__name__)
    pool.close()
    pool.join()
