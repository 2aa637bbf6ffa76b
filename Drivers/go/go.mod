module tailrace/driver

go 1.19
